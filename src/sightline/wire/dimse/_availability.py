"""Instance Availability Notification, both ways: what of a study is there to be had (PS3.4 R).

What a peer says is there is expected here, because it announces what it sends. When a study is complete here,
the peers that the setting names are told what we hold of it.
"""

from collections.abc import Iterable
from typing import Any
from uuid import uuid4

import structlog
from pydicom import Dataset
from pynetdicom import evt

from sightline.kernel.errors import PlatformError
from sightline.record import archive, orders
from sightline.runtime import jobs
from sightline.runtime.db import Database, Db
from sightline.runtime.settings import ServerSettings
from sightline.trust import access, audit
from sightline.wire import peers
from sightline.wire.dimse import _requesting as requesting
from sightline.wire.dimse._datasets import items_at, person_behind, read_message, uid_at
from sightline.wire.dimse._model import Context, Service
from sightline.wire.dimse._procedures import PERFORMED_STEP, answered
from sightline.wire.dimse._references import MOST_REFERENCES, build_reference, find_held, reference_of
from sightline.wire.dimse.settings import DimseSettings

log = structlog.get_logger(__name__)

audit.declare("availability.receive", "A peer announced the objects of a study")
audit.declare("availability.tell", "A peer was told which objects of a study are held")

AVAILABILITY = "1.2.840.10008.5.1.4.33"
SUCCESS = 0x0000
MOST_SERIES = 20_000
RETRIES_S = (10, 60, 300, 1800, 7200, 21600, 43200, 86400)
_STUDY, _SERIES, _SERIES_UID = "0020000D", "00081115", "0020000E"
_OBJECTS, _AVAILABLE = "00081199", "00080056"


@answered
def _receive(context: Context, event: Any) -> tuple[int | Dataset, Dataset | None]:
    """Take a notification (N-CREATE): expect what is said to be there (PS3.4 R.3.2)."""
    request = event.request
    notice = read_message(request.AttributeList, event.context.transfer_syntax)
    study_uid = uid_at(notice, _STUDY, "Study Instance UID")
    uids = sorted(_announced(notice))
    person = person_behind(event)
    access.require(person, "archive.store", on=study_uid)
    context.spool.flush()
    with context.store.database.transaction() as db:
        archive.expect(db, study_uid, origin="ian", count=len(uids), sop_uids=uids, by=person)
        if uids and len(find_held(db, uids)) == len(uids):
            archive.settle_now(db, [study_uid])
        audit.record(db, "availability.receive", by=person, on=study_uid, objects=len(uids))
    reply = Dataset()
    if not request.AffectedSOPInstanceUID:
        reply.AffectedSOPInstanceUID = f"2.25.{uuid4().int}"
    return SUCCESS, reply


def _announced(notice: archive.Attributes) -> set[str]:
    """Return the objects of a notification that can be had, now or later (PS3.4 table R.3.2-1)."""
    found: set[str] = set()
    for series in items_at(notice, _SERIES, "Referenced Series Sequence", most=MOST_SERIES):
        uid_at(series, _SERIES_UID, "Series Instance UID")
        for item in items_at(series, _OBJECTS, "Referenced SOP Sequence", most=MOST_REFERENCES):
            values = item.get(_AVAILABLE, {}).get("Value") or [""]
            if values[0] != "UNAVAILABLE":
                found.add(reference_of(item)[1])
    return found


def announce_study(database: Database, study_uid: str, cause: str) -> None:
    """Have a job tell each peer of the setting that a study is complete here."""
    with database.transaction() as db:
        for title in peers_to_tell():
            _enqueue(db, study_uid, title, cause, attempt=0)


def peers_to_tell() -> list[str]:
    """Return the titles of the peers that are told of complete studies."""
    titles = (title.strip() for title in DimseSettings().notify.split(","))
    return list(dict.fromkeys(title for title in titles if title))


def tell_peer(database: Database, study_uid: str, title: str, cause: str, attempt: int) -> None:
    """Tell a peer what of a study is held; try again later when that fails (a job)."""
    try:
        with database.reading() as db:
            peer = peers.find_peer(db, title)
            notice = build_notice(db, study_uid, ServerSettings().ae_title)
        if notice is None:
            return
        requesting.notify(peer, notice)
    except PlatformError as error:
        log.warning("availability not told", ae=title, error=error.code, attempt=attempt)
        if attempt < len(RETRIES_S):
            with database.transaction() as db:
                _enqueue(db, study_uid, title, cause, attempt=attempt + 1, delay_s=RETRIES_S[attempt])
        return
    with database.transaction() as db:
        audit.record(db, "availability.tell", by=access.SYSTEM, on=study_uid, peer=title)


def build_notice(db: Db, study_uid: str, own_title: str) -> Dataset | None:
    """Return what is told of a study, None when nothing of it is held any more (PS3.4 table R.3.2-1)."""
    by_series: dict[str, list[archive.Instance]] = {}
    for instance in archive.find_instances(db, archive.InstanceQuery(study=study_uid)):
        by_series.setdefault(instance.series, []).append(instance)
    if not by_series:
        return None
    notice = Dataset()
    notice.ReferencedPerformedProcedureStepSequence = [
        _procedure(done.uid) for done in orders.performed_of(db, study_uid)
    ]
    notice.StudyInstanceUID = study_uid
    notice.ReferencedSeriesSequence = [
        _series(uid, held, own_title) for uid, held in sorted(by_series.items())
    ]
    return notice


def _procedure(uid: str) -> Dataset:
    item = build_reference((PERFORMED_STEP, uid))
    item.PerformedWorkitemCodeSequence = []
    return item


def _series(uid: str, held: Iterable[archive.Instance], own_title: str) -> Dataset:
    item = Dataset()
    item.SeriesInstanceUID = uid
    item.ReferencedSOPSequence = [_object(instance, own_title) for instance in held]
    return item


def _object(instance: archive.Instance, own_title: str) -> Dataset:
    item = build_reference((instance.sop_class, instance.sop_uid))
    item.InstanceAvailability = "ONLINE"
    item.RetrieveAETitle = own_title
    return item


def _enqueue(db: Db, study_uid: str, title: str, cause: str, *, attempt: int, delay_s: float = 0) -> None:
    key = f"availability-{title}-{cause}-{attempt}"
    jobs.enqueue(
        db, "availability-tell", key=key, delay_s=delay_s,
        study=study_uid, peer=title, cause=cause, attempt=attempt,
    )  # fmt: skip


SERVICES: tuple[Service, ...] = (
    Service(
        name="Instance Availability Notification",
        sop_classes=(AVAILABILITY,),
        role="scp",
        right="store",
        handlers={evt.EVT_N_CREATE: _receive},
    ),
)
