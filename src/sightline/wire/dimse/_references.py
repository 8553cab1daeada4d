"""References to objects in messages, and which of them are held here."""

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from pydicom import Dataset

from sightline.record import archive
from sightline.runtime.db import Db
from sightline.wire.dimse._datasets import items_at, uid_at

Reference: TypeAlias = tuple[str, str]
"""SOP class and SOP instance of an object."""

MOST_REFERENCES = 200_000
PROCESSING_FAILURE = 0x0110
FAILED = "00081198"
_CLASS, _INSTANCE, _REASON = "00081150", "00081155", "00081197"
CHUNK = 500


def references_at(attributes: archive.Attributes, tag: str) -> Iterator[Reference]:
    """Yield the references of a sequence that must be there."""
    for item in items_at(attributes, tag, "Referenced SOP Sequence", most=MOST_REFERENCES):
        yield reference_of(item)


def failures_at(attributes: archive.Attributes) -> Iterator[tuple[Reference, int]]:
    """Yield what failed, each with its reason, where anything is said to have failed."""
    if not attributes.get(FAILED, {}).get("Value"):
        return
    for item in items_at(attributes, FAILED, "Failed SOP Sequence", most=MOST_REFERENCES):
        values = item.get(_REASON, {}).get("Value") or [None]
        yield reference_of(item), values[0] if isinstance(values[0], int) else PROCESSING_FAILURE


def reference_of(item: archive.Attributes) -> Reference:
    """Return what an item refers to, or refuse."""
    return uid_at(item, _CLASS, "Referenced SOP Class UID"), uid_at(
        item, _INSTANCE, "Referenced SOP Instance UID"
    )


def build_reference(reference: Reference, reason: int | None = None) -> Dataset:
    """Return the item of a reference; with the reason when it failed."""
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = reference
    if reason is not None:
        item.FailureReason = reason
    return item


def find_held(db: Db, sop_uids: Sequence[str]) -> dict[str, archive.Instance]:
    """Return those of the objects that are held, by UID."""
    found: dict[str, archive.Instance] = {}
    for at in range(0, len(sop_uids), CHUNK):
        query = archive.InstanceQuery(sop_uids=sop_uids[at : at + CHUNK])
        found |= {instance.sop_uid: instance for instance in archive.find_instances(db, query)}
    return found
