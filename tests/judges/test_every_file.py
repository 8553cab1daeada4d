"""Every file that others made is given back as it came, or refused with a reason."""

import hashlib
import warnings
from pathlib import Path

import pydicom.data

from sightline.record import archive

MOST_BYTES = 64 << 20


def judge(store, source, files):
    """Take files in; return how many were given back byte for byte, and the reasons of the others."""
    whole, refused, changed = 0, [], []
    for path in files:
        item = archive.Incoming(path.name, path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            (outcome,) = archive.take_in(store, [item], source)
        if outcome.status == "refused":
            refused.append((path.name, outcome.reason))
        elif outcome.status == "stored":
            with store.database.reading() as db:
                same = archive.instance_bytes(store, db, outcome.sop_uid) == path.read_bytes()
            whole += same
            changed += [] if same else [path.name]
        # Held: the same object in another file. Conflict: kept aside under its own key.
    return whole, refused, changed


def files_below(folder: Path) -> list[Path]:
    """Return the DICOM files below a folder, each content once."""
    seen: dict[bytes, Path] = {}
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.stat().st_size > MOST_BYTES or path.name == "DICOMDIR":
            continue
        with path.open("rb") as file:
            if file.read(132)[128:] == b"DICM":
                file.seek(0)
                seen.setdefault(hashlib.file_digest(file, "sha256").digest(), path)
    return list(seen.values())


def test_the_files_of_pydicom(store, source):
    folder = Path(pydicom.data.__file__).parent / "test_files"

    whole, refused, changed = judge(store, source, files_below(folder))

    assert changed == []
    assert whole > 50
    assert all(reason.endswith(".") for _, reason in refused)


def test_the_shared_files(store, source, test_data):
    whole, refused, changed = judge(store, source, files_below(test_data))

    assert changed == []
    assert whole > 500
    assert all(reason.endswith(".") for _, reason in refused)
