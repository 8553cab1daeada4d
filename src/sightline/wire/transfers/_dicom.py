"""A peer as a destination and as a source: what transfers need of our DIMSE requests, in one place."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from pydicom import Dataset
from pydicom.datadict import keyword_for_tag

from sightline.record import archive
from sightline.wire import dimse, peers
from sightline.wire.transfers._model import OtherSideFailed
from sightline.wire.transfers._progress import Work

_SUCCESS, _OUT_OF_RESOURCES, _FAILED = 0x0000, 0xA700, 0xC000
_NO_DESTINATION = 0xA801
_FULL = frozenset({"store-full", "store-unavailable"})


def send(
    store: archive.Store, peer: peers.Peer, sop_uids: Sequence[str], check: Callable[[], None]
) -> dict[str, str]:
    """Send instances by C-STORE; return the reason by UID, "" is good.

    Raises
    ------
    OtherSideFailed
        If not one went over because the peer is away.
    """
    result = dimse.send(store, peer, sop_uids, on_progress=lambda _: check())
    if result.error and not result.done:
        raise OtherSideFailed(f"{result.error} It is tried again.")
    return {sent.sop_uid: "" if sent.ok else _words(sent) for sent in result.instances}


def _words(sent: dimse.Sent) -> str:
    return f"Status {sent.status:04X}H. {sent.comment}".strip()[:200]


def list_studies(peer: peers.Peer) -> Iterator[tuple[str, int]]:
    """Yield every study that a peer has: UID and how many instances, 0 where it does not say."""
    keys = Dataset()
    keys.StudyInstanceUID, keys.StudyDate, keys.NumberOfStudyRelatedInstances = "", "", None
    for found in dimse.find(peer, "study", "study", keys, relational=False):
        uid, count = str(found.get("StudyInstanceUID") or ""), found.get("NumberOfStudyRelatedInstances")
        if uid:
            yield uid, int(count or 0)


def list_instances(peer: peers.Peer, study_uid: str) -> dict[str, str]:
    """Return every instance that a peer has of a study, and its SOP class where the peer says."""
    listed: dict[str, str] = {}
    for series in _series_of(peer, study_uid):
        keys = Dataset()
        keys.StudyInstanceUID, keys.SeriesInstanceUID = study_uid, series
        keys.SOPInstanceUID, keys.SOPClassUID = "", ""
        for found in dimse.find(peer, "study", "instance", keys, relational=False):
            uid = str(found.get("SOPInstanceUID") or "")
            if uid:
                listed[uid] = str(found.get("SOPClassUID") or "")
    return listed


def find_studies(peer: peers.Peer, keys: Mapping[str, str], fields: Sequence[str], most: int) -> list[Any]:
    """Return at most so many studies of a peer that match, in DICOM JSON; `fields` are tags asked for."""
    asked = Dataset()
    for tag in fields:
        setattr(asked, keyword_for_tag(tag), "")
    for tag, value in keys.items():
        setattr(asked, keyword_for_tag(tag), value)
    found = dimse.find(peer, "study", "study", asked, relational=False)
    try:
        return [answer.to_json_dict(suppress_invalid_tags=True) for answer in islice(found, most)]
    finally:
        found.close()


def _series_of(peer: peers.Peer, study_uid: str) -> list[str]:
    keys = Dataset()
    keys.StudyInstanceUID, keys.SeriesInstanceUID = study_uid, ""
    found = dimse.find(peer, "study", "series", keys, relational=False)
    return [uid for series in found if (uid := str(series.get("SeriesInstanceUID") or ""))]


def fetch_study(work: Work, peer: peers.Peer, study_uid: str, sop_classes: Sequence[str]) -> str:
    """Have a peer give a study in the way that is set for it; return what was wrong, else nothing."""
    if peer.retrieve_by == "move":
        return _move_study(work, peer, study_uid)
    return _get_study(work, peer, study_uid, sop_classes)


def _move_study(work: Work, peer: peers.Peer, study_uid: str) -> str:
    """Have a peer send a study to our own port, where it is taken in as whatever that peer sends."""
    keys = Dataset()
    keys.StudyInstanceUID = study_uid
    ours = dimse.Caller()
    result = dimse.move(peer, "study", keys, ours.title, on_progress=lambda _: work.stopping(), caller=ours)
    return "" if result.ok else _ended(result)


def _get_study(work: Work, peer: peers.Peer, study_uid: str, sop_classes: Sequence[str]) -> str:
    reasons: list[str] = []

    def take(item: archive.Incoming) -> tuple[int, str]:
        outcome = archive.take_in_one(work.store, item, work.source)
        if outcome.status in {"stored", "held", "conflict"}:  # a conflict is kept too, for a person
            return _SUCCESS, ""
        reasons.append(outcome.reason)
        if outcome.code in _FULL:
            return _OUT_OF_RESOURCES, "out of resources"
        return _FAILED, "refused"

    keys = Dataset()
    keys.StudyInstanceUID = study_uid
    result = dimse.get(
        work.store,
        peer,
        "study",
        keys,
        take,
        sop_classes=sop_classes,
        on_progress=lambda _: work.stopping(),
    )
    if result.ok or reasons:
        return reasons[-1] if reasons else ""
    return _ended(result)


def _ended(result: dimse.RetrieveResult) -> str:
    """Say how a retrieval ended that did not end well."""
    hint = " It does not know our AE title; add us there." if result.status == _NO_DESTINATION else ""
    return f"The peer ended with status {result.status:04X}H.{hint} {result.comment}".strip()[:300]
