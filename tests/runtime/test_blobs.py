"""Blobs: durable, immutable, never half."""

import errno
import http.server
import os
import subprocess
import sys
import threading
from uuid import uuid4

import pytest

from sightline.runtime.blobs import (
    BlobNotHeld,
    InvalidKey,
    LocalBlobs,
    StoreFull,
    StoreUnavailable,
    _local,
    _objects,
    open_blobs,
    page_memory,
)
from tests.s3 import s3_endpoint, s3_url  # noqa: F401


@pytest.fixture
def local(tmp_path):
    opened = LocalBlobs(tmp_path / "store")
    yield opened
    opened.close()


@pytest.fixture(params=["local", "object", "s3"])
def blobs(request):
    """The folder, an object store in memory, and a real S3 endpoint."""
    if request.param == "local":
        yield request.getfixturevalue("local")
        return
    opened = open_blobs("memory:///" if request.param == "object" else request.getfixturevalue("s3_url"))
    yield opened
    opened.close()


def test_what_is_put_can_be_read_whole_and_in_parts(blobs):
    assert blobs.put_if_absent("a/b.dcm", b"0123456789")

    assert blobs.get("a/b.dcm") == b"0123456789"
    assert blobs.get_range("a/b.dcm", 2, 3) == b"234"
    assert blobs.get_ranges("a/b.dcm", [(0, 1), (8, 2)]) == [b"0", b"89"]
    assert blobs.head("a/b.dcm") == 10


def test_bytes_are_streamed_in_pieces_whole_and_in_part(blobs):
    blobs.put_if_absent("a", bytes(range(100)))

    assert [len(piece) for piece in blobs.stream("a", chunk=40)] == [40, 40, 20]
    assert b"".join(blobs.stream("a", 10, 5, chunk=2)) == bytes(range(10, 15))
    assert b"".join(blobs.stream("a", 90, 500)) == bytes(range(90, 100))
    assert b"".join(blobs.stream("a", 100)) == b"".join(blobs.stream("a", 3, 0)) == b""
    with pytest.raises(BlobNotHeld):
        blobs.stream("b")


def test_bytes_under_a_key_never_change(blobs):
    blobs.put_if_absent("a", b"first")

    assert not blobs.put_if_absent("a", b"second")
    assert blobs.get("a") == b"first"


def test_bytes_come_from_memory_files_and_chunks(blobs, tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"from a file")

    blobs.put_if_absent("memory", memoryview(b"from memory"))
    blobs.put_if_absent("file", file)
    blobs.put_if_absent("chunks", iter([b"from ", b"chunks"]))

    assert [blobs.get(k) for k in ("memory", "file", "chunks")] == [
        b"from memory",
        b"from a file",
        b"from chunks",
    ]
    assert file.exists()


def test_a_file_that_is_given_away_is_consumed_even_when_the_key_is_held(blobs):
    files = [blobs.scratch() / name for name in ("one", "two")]
    for file in files:
        file.write_bytes(b"bytes")

    assert blobs.put_many([("a", files[0])], move=True) == [True]
    assert blobs.put_many([("a", files[1])], move=True) == [False]
    assert list(blobs.scratch().iterdir()) == []
    assert blobs.get("a") == b"bytes"


def test_many_are_put_and_listed_in_order(blobs):
    keys = [f"instances/20240131/07/{n:03d}.dcm" for n in range(30)]

    assert blobs.put_many([(key, key.encode()) for key in reversed(keys)]) == [True] * 30
    assert list(blobs.list("instances/20240131/07/")) == keys
    assert list(blobs.list("instances/20240131/08/")) == []
    assert list(blobs.list("")) == keys


def test_deleting_removes_and_deleting_again_is_no_error(blobs):
    blobs.put_if_absent("a", b"bytes")

    blobs.delete("a")
    blobs.delete("a")

    assert blobs.head("a") is None
    with pytest.raises(BlobNotHeld):
        blobs.get("a")
    with pytest.raises(BlobNotHeld):
        blobs.get_range("a", 0, 1)


@pytest.mark.parametrize(
    "key", ["../a", "/a", "a//b", "a/../b", ".hidden", "a/.partial", "", "a b", "ä", "a\0", "a" * 600]
)
def test_a_key_that_could_leave_the_store_is_refused(blobs, key):
    with pytest.raises(InvalidKey):
        blobs.put_if_absent(key, b"bytes")


def test_only_a_local_store_gives_a_path(local):
    local.put_if_absent("a", b"bytes")

    assert local.open_local_path("a").read_bytes() == b"bytes"
    assert local.open_local_path("b") is None
    assert open_blobs("memory:///").open_local_path("a") is None


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, StoreFull),
        (errno.EDQUOT, StoreFull),
        (errno.EROFS, StoreUnavailable),
        (errno.EIO, StoreUnavailable),
    ],
)
def test_a_disk_that_fails_refuses_and_leaves_nothing(local, monkeypatch, number, kind):
    def fail(handle):
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(_local.os, "fdatasync", fail)
        with pytest.raises(kind, match="nothing was stored"):
            local.put_many([("a", b"bytes"), ("b", b"bytes")])

    assert list(local.list("")) == []
    assert list(local.scratch().iterdir()) == []
    assert local.put_if_absent("a", b"bytes")


def test_what_breaks_off_while_it_arrives_leaves_nothing(local):
    def chunks():
        yield b"half"
        raise ConnectionError

    with pytest.raises((ConnectionError, StoreUnavailable)):
        local.put_if_absent("a", chunks())

    assert local.head("a") is None
    assert list(local.scratch().iterdir()) == []


def test_the_leftovers_of_a_killed_process_are_swept_and_those_of_a_living_one_are_not(tmp_path, local):
    program = (
        "import os, sys, pathlib; from sightline.runtime.blobs import LocalBlobs; "
        "b = LocalBlobs(pathlib.Path(sys.argv[1])); (b.scratch() / 'half').write_bytes(b'half'); os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "store")], timeout=60, check=False)
    (local.scratch() / "ours").write_bytes(b"still arriving")
    folders = [f for f in (tmp_path / "store" / ".partial").iterdir() if f.is_dir()]
    assert len(folders) == 2

    LocalBlobs(tmp_path / "store").close()

    assert [f for f in (tmp_path / "store" / ".partial").iterdir() if f.is_dir()] == [local.scratch()]
    assert (local.scratch() / "ours").exists()


def test_files_are_synced_before_they_have_a_name_and_the_folder_after(local, monkeypatch):
    order = []
    for place, name in ((os, "fdatasync"), (_local, "_name"), (os, "fsync")):
        real = getattr(place, name)
        monkeypatch.setattr(
            place, name, lambda *a, _name=name, _real=real: (order.append(_name), _real(*a))[1]
        )
    local._make_folder(local._root)
    order.clear()

    local.put_if_absent("a", b"bytes")

    assert order == ["fdatasync", "_name", "fsync"]


@pytest.mark.parametrize("renames", [True, False])
@pytest.mark.parametrize("size", [0, 1, _local.PAGE, 3 * _local.PAGE + 17])
def test_bytes_begun_and_ended_later_are_those_given_and_never_replace_what_is_held(
    local, monkeypatch, size, renames
):
    if not renames:  # a file system that cannot refuse to replace
        monkeypatch.setattr(_local, "_rename", None)
    memory = page_memory(1 << 20)
    memory[:] = os.urandom(1 << 20)
    for data in (memory[:size], memory[5 : 5 + size], bytes(memory[:size])):
        key = f"a/{uuid4().hex}"

        assert local.put_if_absent(key, local.begin(data), move=True)
        assert not local.put_if_absent(key, local.begin(b"another"), move=True)
        local.give_up(local.begin(data))

        assert local.get(key) == bytes(data)
    assert list(local.scratch().iterdir()) == []
    assert not local._begun


def test_a_large_object_goes_to_the_object_store_in_parts_and_never_twice(s3_url, monkeypatch):  # noqa: F811
    monkeypatch.setattr(_objects, "LARGE", 1 << 20)
    opened = open_blobs(s3_url)
    piece = bytes(range(256)) * 4096

    assert opened.put_if_absent("large", iter([piece] * 12))
    assert not opened.put_if_absent("large", iter([piece] * 2))
    assert b"".join(opened.stream("large")) == piece * 12
    opened.close()


def use_endpoint(monkeypatch, address):
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
    monkeypatch.setattr(_objects, "_RETRY", {"max_retries": 0})


@pytest.mark.parametrize(
    ("status", "said", "kind"),
    [
        (507, "", StoreFull),
        (413, "Upload exceeds quota.", StoreFull),
        (403, "", StoreUnavailable),
    ],
)
def test_an_object_store_is_full_by_what_it_says_and_not_by_its_address(monkeypatch, status, said, kind):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.send_error(404)

        def do_PUT(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_error(status, explain=said)

        def log_message(self, *words):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        use_endpoint(monkeypatch, f"http://127.0.0.1:{server.server_port}")
        opened = open_blobs("s3://quota/507")

        with pytest.raises(kind):
            opened.put_if_absent("a507", b"bytes")
        opened.close()
        server.shutdown()


def test_an_object_store_that_does_not_answer_is_unavailable(monkeypatch):
    use_endpoint(monkeypatch, "http://127.0.0.1:1")
    opened = open_blobs("s3://bucket/prefix")

    with pytest.raises(StoreUnavailable, match="does not answer"):
        opened.put_if_absent("a", b"bytes")
    opened.close()


def test_a_wrong_secret_is_refused_by_the_object_store(s3_url, monkeypatch):  # noqa: F811
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    opened = open_blobs(s3_url)

    with pytest.raises(StoreUnavailable):
        opened.put_if_absent("a", b"bytes")
    opened.close()
