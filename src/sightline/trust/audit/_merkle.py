"""The Merkle tree of RFC 6962: what one hash must be for a whole history to be what it was.

Sources: RFC 6962 2.1 (Merkle hash tree). Proofs of inclusion and consistency are not needed while the
verifier reads the whole trail.
"""

import hashlib
from collections.abc import Iterable, Sequence

EMPTY_ROOT = hashlib.sha256(b"").digest()


def hash_leaf(entry: bytes) -> bytes:
    """Return the hash of one entry, SHA-256 over 0x00 and the entry (RFC 6962 2.1).

    >>> hash_leaf(b"").hex()
    '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d'
    """
    return hashlib.sha256(b"\x00" + entry).digest()


def hash_children(left: bytes, right: bytes) -> bytes:
    """Return the hash of two subtrees, SHA-256 over 0x01, left and right (RFC 6962 2.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """The right edge of a tree: the roots of its complete subtrees, largest first.

    It has one hash for each 1 in the binary form of `size`, so that a tree of any size grows by a leaf, and
    tells its root, in a number of steps that is the logarithm of its size.
    """

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        if len(hashes) != size.bit_count():
            raise ValueError(
                f"A tree of {size} leaves has {size.bit_count()} frontier hashes, not {len(hashes)}."
            )
        self.size = size
        self._hashes = list(hashes)

    @property
    def hashes(self) -> tuple[bytes, ...]:
        """The roots of the complete subtrees, largest first."""
        return tuple(self._hashes)

    def add(self, leaf: bytes) -> None:
        """Append one leaf hash; complete subtrees of equal height merge."""
        height = self.size
        while height & 1:
            leaf = hash_children(self._hashes.pop(), leaf)
            height >>= 1
        self._hashes.append(leaf)
        self.size += 1

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Append leaf hashes in order."""
        for leaf in leaves:
            self.add(leaf)

    def root(self) -> bytes:
        """Return the Merkle tree hash of all leaves so far."""
        if not self._hashes:
            return EMPTY_ROOT
        root = self._hashes[-1]
        for left in reversed(self._hashes[:-1]):
            root = hash_children(left, root)
        return root
