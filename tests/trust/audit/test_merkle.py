"""The Merkle tree against the known answers of RFC 6962 implementations and a second, recursive way."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sightline.trust.audit._merkle import Frontier, hash_children, hash_leaf

LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]

# The roots that certificate-transparency logs publish for the first n of these leaves.
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


@pytest.mark.parametrize("size", range(9))
def test_the_root_is_the_published_one(size):
    tree = Frontier()
    tree.extend(hash_leaf(bytes.fromhex(leaf)) for leaf in LEAVES[:size])

    assert tree.root().hex() == ROOTS[size]


def merkle_tree_hash(entries: list[bytes]) -> bytes:
    """MTH of RFC 6962 2.1, word by word."""
    if not entries:
        return hashlib.sha256(b"").digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    k = 1 << ((len(entries) - 1).bit_length() - 1)
    return hash_children(merkle_tree_hash(entries[:k]), merkle_tree_hash(entries[k:]))


@settings(deadline=None, derandomize=True)
@given(st.lists(st.binary(max_size=4), max_size=70))
def test_growing_leaf_by_leaf_gives_the_recursive_definition(entries):
    tree = Frontier()
    tree.extend(map(hash_leaf, entries))

    assert tree.root() == merkle_tree_hash(entries)
    assert tree.size == len(entries)


@settings(deadline=None, derandomize=True)
@given(st.lists(st.binary(max_size=4), max_size=40), st.integers(0, 40))
def test_a_tree_that_is_put_down_and_taken_up_again_goes_on_the_same(entries, cut):
    first = Frontier()
    first.extend(map(hash_leaf, entries[:cut]))
    second = Frontier(first.size, first.hashes)
    second.extend(map(hash_leaf, entries[cut:]))

    assert second.root() == merkle_tree_hash(entries)


def test_a_frontier_of_the_wrong_length_is_refused():
    with pytest.raises(ValueError, match="5 leaves has 2 frontier hashes"):
        Frontier(5, [b""])
