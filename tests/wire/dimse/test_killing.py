"""Killed at any moment under C-STORE, the server loses nothing that it answered for."""

import random
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from bench.peers.scu import Scu, part10
from sightline.record import archive
from sightline.runtime.blobs import LocalBlobs
from sightline.runtime.db import open_database

PROGRAM = """
import sys, threading
from pathlib import Path
from sightline.record import archive
from sightline.runtime.blobs import LocalBlobs
from sightline.runtime.db import open_database
from sightline.runtime.settings import ServerSettings
from sightline.wire import dimse

url, blobs = sys.argv[1:]
store = archive.Store(open_database(url), LocalBlobs(Path(blobs)), archive.ArchiveSettings())
listener = dimse.Listener(store, ServerSettings(dicom_port=0))
listener.start()
print(listener.port, flush=True)
threading.Event().wait()
"""


@pytest.mark.parametrize("seed", range(3))
def test_what_was_answered_before_a_kill_is_held_whole_and_nothing_else_is_left(
    database, tmp_path, make_slice, seed
):
    url = database.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", PROGRAM, url, str(tmp_path / "blobs")]
    answered = {}

    def send(port, series):
        with suppress(OSError, EOFError, AssertionError), Scu(port, timeout_s=20) as scu:
            for n in range(1, 200):
                content = make_slice(n, series=series)
                if scu.store(content) == 0:
                    answered[f"{series}.{n}"] = content

    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        port = int(child.stdout.readline())
        timer = threading.Timer(random.Random(seed).uniform(0.2, 1.0), child.kill)
        timer.start()
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(send, [port] * 3, ["1.2.3.1", "1.2.3.2", "1.2.3.3"]))
        timer.join()
        child.wait()

    after = open_database(url)
    store = archive.Store(after, LocalBlobs(tmp_path / "blobs"), archive.ArchiveSettings())
    started = time.monotonic()
    archive.recover(store)
    assert time.monotonic() - started < 60
    with after.reading() as db:
        held = {i.sop_uid: i for i in archive.find_instances(db, archive.InstanceQuery())}
    assert answered
    assert set(answered) <= set(held)
    assert sorted(store.blobs.list("instances/")) == sorted(i.blob for i in held.values())
    for uid, content in answered.items():
        assert bytes(part10(store.blobs.get(held[uid].blob))[3]) == bytes(part10(content)[3])
    assert len([f for f in (tmp_path / "blobs" / ".partial").iterdir() if f.is_dir()]) == 1
    store.blobs.close()
    after.dispose()
