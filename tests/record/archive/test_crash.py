"""Killed at any moment, the archive loses nothing that it acknowledged and keeps nothing half."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sightline.record import archive
from sightline.runtime.blobs import LocalBlobs
from sightline.runtime.db import open_database
from sightline.trust import access

PROGRAM = """
import sys
from pathlib import Path
from sightline.record import archive
from sightline.runtime.blobs import LocalBlobs
from sightline.runtime.db import open_database
from sightline.trust import access

url, blobs, *files = sys.argv[1:]
store = archive.Store(open_database(url), LocalBlobs(Path(blobs)), archive.ArchiveSettings())
source = archive.Source("import", "child", access.operator("child"))
print("ready", flush=True)
for start in range(0, len(files), 3):
    items = [archive.Incoming(name, Path(name)) for name in files[start:start + 3]]
    for outcome in archive.take_in(store, items, source):
        print(outcome.status, outcome.sop_uid, flush=True)
"""


@pytest.mark.parametrize("round_", range(3))
def test_what_was_acknowledged_before_a_kill_is_held_and_nothing_is_double(
    database, request, tmp_path, make_slice, round_
):
    files = []
    for n in range(1, 121):
        path = tmp_path / f"{n:03d}.dcm"
        path.write_bytes(make_slice(n))
        files.append(str(path))
    url = database.engine.url.render_as_string(hide_password=False)
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, url, str(tmp_path / "blobs"), *files],
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout.readline() == "ready\n"
        time.sleep(random.uniform(0.01, 0.5))
        child.kill()
        acknowledged = [line.split()[1] for line in child.stdout if line.startswith("stored ")]

    after = open_database(url)
    store = archive.Store(after, LocalBlobs(tmp_path / "blobs"), archive.ArchiveSettings())
    archive.recover(store)

    with after.reading() as db:
        held = {i.sop_uid: i for i in archive.find_instances(db, archive.InstanceQuery())}
    assert set(acknowledged) <= set(held)
    keys = list(store.blobs.list("instances/"))
    assert sorted(keys) == sorted(i.blob for i in held.values())
    for instance in held.values():
        assert store.blobs.get(instance.blob) == make_slice(instance.number)
    assert len([f for f in (tmp_path / "blobs" / ".partial").iterdir() if f.is_dir()]) == 1
    _finish(store, files)
    after.dispose()


def _finish(store, files):
    """What the sender was not told of, it sends again: then all is there, once."""
    source = archive.Source("import", "again", access.operator("again"))
    outcomes = archive.take_in(store, [archive.Incoming(f, Path(f).read_bytes()) for f in files], source)

    assert {o.status for o in outcomes} <= {"stored", "held"}
    with store.database.reading() as db:
        study = archive.get_study(db, "1.2.3")
    assert study.instance_count == len(files) == len(list(store.blobs.list("instances/")))
