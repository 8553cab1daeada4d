"""Use cases of a person who asks a peer: an echo, and what it holds."""

from collections.abc import Mapping
from itertools import islice

from pydicom import Dataset
from pydicom.datadict import dictionary_VR, tag_for_keyword

from sightline.kernel.errors import Invalid
from sightline.record import archive
from sightline.runtime.db import Database
from sightline.trust import access, audit
from sightline.wire import peers
from sightline.wire.dimse import _requesting as requesting
from sightline.wire.dimse._datasets import build_dataset
from sightline.wire.dimse._requesting import Caller, EchoResult, Level, Model

MOST_ANSWERS = 500

audit.declare("peer.echo", "A person asked a peer for an echo")
audit.declare("peer.find", "A person asked a peer what it holds")

# What is asked for besides the keys, so that an answer can be read.
_USUAL = {
    "patient": ("PatientName", "PatientID", "PatientBirthDate", "PatientSex"),
    "study": (
        "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyDate",
        "StudyTime", "AccessionNumber", "StudyDescription", "ModalitiesInStudy", "NumberOfStudyRelatedSeries",
        "NumberOfStudyRelatedInstances",
    ),
    "series": (
        "StudyInstanceUID", "SeriesInstanceUID", "Modality", "SeriesNumber", "SeriesDescription",
        "NumberOfSeriesRelatedInstances",
    ),
    "instance": ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID", "InstanceNumber"),
}  # fmt: skip


class NotAKey(Invalid):
    """What is asked for is no attribute of the dictionary; name it by keyword, such as PatientID."""


def echo_peer(database: Database, title: str, *, by: access.Person, caller: Caller) -> EchoResult:
    """Ask a peer whether it is there."""
    access.require(by, "peer.read", on=title)
    with database.reading() as db:
        peer = peers.find_peer(db, title)
    result = requesting.echo(peer, caller=caller)
    with database.transaction() as db:
        audit.record(db, "peer.echo", by=by, on=peer.title, ok=result.ok)
    return result


def find_at_peer(
    database: Database,
    title: str,
    level: Level,
    keys: Mapping[str, str],
    *,
    by: access.Person,
    caller: Caller,
) -> list[Dataset]:
    """Ask a peer what it holds, at most so much that a person can look at it."""
    access.require(by, "peer.read", on=title)
    access.require(by, "archive.read")
    identifier = build_identifier(level, keys)
    with database.transaction() as db:
        peer = peers.find_peer(db, title)
        audit.record(db, "peer.find", by=by, on=peer.title, level=level)
    model: Model = "patient" if level == "patient" else "study"
    found = requesting.find(peer, model, level, identifier, caller=caller)
    try:
        return list(islice(found, MOST_ANSWERS))
    finally:
        found.close()


def build_identifier(level: Level, keys: Mapping[str, str]) -> Dataset:
    """Return the identifier of a query: the usual return keys of the level, and what is asked for.

    >>> build_identifier("instance", {"SOPInstanceUID": "1.2"}).SOPInstanceUID
    '1.2'
    """
    asked: archive.Attributes = {}
    for keyword in (*_USUAL[level], *keys):
        tag = tag_for_keyword(keyword)
        vr = dictionary_VR(tag) if tag is not None else "SQ"
        if tag is None or vr in {"SQ", "OB", "OW", "UN"}:
            raise NotAKey("What is asked for is no attribute that can be asked for; name it by keyword.")
        value = keys.get(keyword, "")
        node: dict[str, object] = {"vr": vr.split(" or ")[0]}
        if value:
            node["Value"] = [{"Alphabetic": value}] if vr == "PN" else value.split("\\")
        asked[f"{tag:08X}"] = node
    return build_dataset(dict(sorted(asked.items())))
