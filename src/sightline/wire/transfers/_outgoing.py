"""What transfers need to know of a study that goes out, and its bytes."""

from collections.abc import Iterator

from sightline.record import archive
from sightline.runtime.db import Db


def content(store: archive.Store, db: Db, sop_uid: str) -> Iterator[bytes]:
    """Return the Part 10 file of an instance, with its corrections, in chunks."""
    return archive.open_instance(store, db, sop_uid).chunks()


def sources_of(db: Db, study_uid: str) -> list[str]:
    """Return whence a study came, each as kind and name."""
    return [f"{one.kind}:{one.source}" for one in archive.completeness(db, study_uid).received]


def labels_of(db: Db, study_uid: str) -> list[str]:
    """Return the labels of a study."""
    return archive.labels_of(db, [study_uid]).get(study_uid, [])
