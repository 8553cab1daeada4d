"""Objects on their way out: which there are, and the dataset of each in a transfer syntax that a peer takes.

Bytes go as they are held wherever the peer takes that transfer syntax; only where it does not are they
written anew, in explicit or implicit VR little endian.
"""

import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO

from pydicom import Dataset
from pynetdicom.dsutils import decode

from sightline.record import archive

IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
PLAIN = (EXPLICIT, IMPLICIT)
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Item:
    """One object that is to be sent."""

    sop_uid: str
    sop_class: str
    syntax: str
    study: str


def items_of(instances: Iterable[archive.Instance]) -> list[Item]:
    """Return what is to be sent of these instances."""
    return [Item(i.sop_uid, i.sop_class, i.transfer_syntax, i.study) for i in instances]


def find_items(store: archive.Store, sop_uids: Sequence[str]) -> list[Item]:
    """Return those of the objects that are held, in the order asked for."""
    found: dict[str, Item] = {}
    for at in range(0, len(sop_uids), AT_ONCE):
        query = archive.InstanceQuery(sop_uids=sop_uids[at : at + AT_ONCE])
        with store.database.reading() as db:
            found |= {item.sop_uid: item for item in items_of(archive.find_instances(db, query))}
    return [found[uid] for uid in dict.fromkeys(sop_uids) if uid in found]


def dataset_chunks(store: archive.Store, item: Item, syntax: str) -> Iterator[bytes]:
    """Yield the dataset of an object in the transfer syntax `syntax`, a piece at a time.

    Raises
    ------
    archive.InstanceNotHeld
        If it has been taken away since it was found.
    archive.FrameNotDecodable
        If it is held in another transfer syntax and cannot be given in this one.
    """
    with store.database.reading() as db:
        opened = archive.open_instance(store, db, item.sop_uid, transfer_syntax=syntax)
    return opened.dataset_chunks()


def encode_dataset(ds: Dataset, *, implicit: bool) -> bytes:
    """Return a dataset as it goes over the wire, little endian, without file meta information."""
    buffer = BytesIO()
    plain = Dataset(ds)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plain.save_as(buffer, implicit_vr=implicit, little_endian=True, enforce_file_format=False)
    return buffer.getvalue()


def decode_dataset(data: bytes, syntax: str) -> Dataset:
    """Return the dataset that came over the wire in implicit or explicit VR little endian."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return decode(BytesIO(data), syntax == IMPLICIT, True)
