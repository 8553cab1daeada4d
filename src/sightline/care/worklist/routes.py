"""HTTP face of the worklist."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from sightline.care import worklist
from sightline.kernel.dates import age_years, iso_date
from sightline.kernel.errors import Invalid
from sightline.kernel.names import display_name
from sightline.record import archive, orders
from sightline.runtime.db import Db
from sightline.runtime.http import Snapshot, Tx
from sightline.trust import access
from sightline.trust.identity import Caller

router = APIRouter(tags=["worklist"])


class PatientView(BaseModel):
    """Who the study is of; `id` is opaque."""

    id: str
    name: str
    patient_id: str
    sex: str
    age_years: int | None


class Reason(BaseModel):
    """One reason for a place, with its weight."""

    text: str
    weight: str | None


class Images(BaseModel):
    """How many images are here, `expected` when the sender said so; `gaps` counts numbers in between."""

    received: int
    expected: int | None
    gaps: int


class Reader(BaseModel):
    """Who has taken the study."""

    id: str
    name: str


class ChangeLine(BaseModel):
    """What became of one lesion, in words."""

    kind: str
    text: str


class AnalysisView(BaseModel):
    """How the analysis of a study stands."""

    state: str
    text: str


class Row(BaseModel):
    """One row of the worklist."""

    study_uid: str
    patient: PatientView
    exam: str
    modality: str
    study_date: str
    arrived_at: datetime
    due_at: datetime
    urgency: worklist.Urgency
    reason: str
    place: list[Reason]
    prior_count: int
    prior_date: str | None
    images: Images
    reader: Reader | None
    state: str
    changes: list[ChangeLine]
    last_impression: str | None
    indication: str | None
    analysis: AnalysisView
    simulated: bool
    deferred_until: datetime | None
    thumbnail_url: str | None


class Counts(BaseModel):
    """How the list stands."""

    critical: int
    open: int
    median_wait_min: int | None


class WorklistPage(BaseModel):
    """One page; `next` goes into `after`."""

    items: list[Row]
    next: str | None
    counts: Counts


class WorklistQuery(BaseModel):
    """What to list: words over name, id and accession; modality; open, reported or all."""

    q: str = Field(default="", max_length=100)
    modality: str = Field(default="", max_length=16)
    state: Literal["open", "reported", "all"] = "open"
    after: str = Field(default="", max_length=128)
    limit: int = Field(default=50, gt=0, le=200)


class Deferral(BaseModel):
    """For how long to put a study off, in min."""

    minutes: int = Field(gt=0, le=7 * 24 * 60)


@router.get("/worklist")
def find_entries(
    caller: Caller,
    db: Snapshot,
    modality: Annotated[str, Query(max_length=16)] = "",
    state: Literal["open", "reported", "all"] = "open",
    after: Annotated[str, Query(max_length=128)] = "",
    limit: Annotated[int, Query(gt=0, le=200)] = 50,
) -> WorklistPage:
    """Return one page of the worklist, what is due first on top."""
    return _page(db, worklist.ListQuery("", modality, state, _key(after), limit), caller)


@router.post("/worklist/page")
def search_entries(body: WorklistQuery, caller: Caller, db: Snapshot) -> WorklistPage:
    """Return one page of the worklist; the words searched for travel in the body, never in an address."""
    query = worklist.ListQuery(body.q, body.modality, body.state, _key(body.after), body.limit)
    return _page(db, query, caller)


def _page(db: Db, query: worklist.ListQuery, caller: access.Person) -> WorklistPage:
    page = worklist.find_entries(db, query, by=caller)
    last = page.entries[-1] if page.more else None
    return WorklistPage(
        items=rows_of(db, page.entries),
        next=f"{last.due_at.isoformat()}|{last.study_uid}" if last else None,
        counts=Counts(critical=page.critical, open=page.open, median_wait_min=page.median_wait_min),
    )


@router.post("/worklist/{study_uid}/claim")
def claim(study_uid: str, caller: Caller, db: Tx) -> Row:
    """Take a study to read it."""
    return _row_of(db, worklist.claim_study(db, study_uid, by=caller))


@router.delete("/worklist/{study_uid}/claim")
def release(study_uid: str, caller: Caller, db: Tx) -> Row:
    """Give a study back."""
    return _row_of(db, worklist.release_study(db, study_uid, by=caller))


@router.post("/worklist/{study_uid}/deferral")
def defer(study_uid: str, body: Deferral, caller: Caller, db: Tx) -> Row:
    """Put a study off until later."""
    return _row_of(db, worklist.defer_study(db, study_uid, body.minutes, by=caller))


@router.delete("/worklist/{study_uid}/deferral")
def undefer(study_uid: str, caller: Caller, db: Tx) -> Row:
    """Take a deferral back."""
    return _row_of(db, worklist.undefer_study(db, study_uid, by=caller))


def _row_of(db: Db, entry: worklist.Entry) -> Row:
    """Return the row of one study, or refuse when it was rejected or thrown away meanwhile."""
    rows = rows_of(db, (entry,))
    if not rows:
        archive.get_study(db, entry.study_uid)
    return rows[0]


def rows_of(db: Db, entries: tuple[worklist.Entry, ...]) -> list[Row]:
    """Return the rows of a page: one query for all of them, never one a row."""
    uids = [entry.study_uid for entry in entries]
    query = archive.StudyQuery(study_uids=uids)
    studies = {study.uid: study for study in archive.find_studies(db, query, limit=len(entries) or 1).items}
    indications = orders.indications_of(db, uids)
    missing = archive.missing_of(db, uids)
    return [
        _row(entry, studies[entry.study_uid], indications.get(entry.study_uid), missing.get(entry.study_uid))
        for entry in entries
        if entry.study_uid in studies  # what was rejected or thrown away is on no list
    ]


def _row(
    entry: worklist.Entry, study: archive.Study, indication: str | None, missing: archive.Missing | None
) -> Row:
    return Row(
        study_uid=entry.study_uid,
        patient=PatientView(
            id=study.patient,
            name=display_name(study.name),
            patient_id=study.patient_id,
            sex=study.sex,
            age_years=age_years(study.birth_date, study.date),
        ),
        exam=entry.exam,
        modality=entry.modality,
        study_date=iso_date(study.date),
        arrived_at=entry.arrived_at,
        due_at=entry.due_at,
        urgency=entry.urgency,
        reason=entry.reason,
        place=[Reason(text=text, weight=weight) for text, weight in entry.reasons],
        prior_count=entry.prior_count,
        prior_date=iso_date(entry.prior_date) if entry.prior_date else None,
        images=Images(
            received=study.image_count, expected=_expected(study, missing), gaps=entry.missing_numbers
        ),
        reader=Reader(id=entry.reader, name=entry.reader_name or "") if entry.reader else None,
        state=entry.state,
        changes=[ChangeLine(**change) for change in entry.changes],
        last_impression=None,
        indication=indication,
        analysis=AnalysisView(state=entry.analysis_state, text=entry.analysis_text),
        simulated=study.simulated,
        deferred_until=entry.deferred_until,
        thumbnail_url=f"/dicom-web/studies/{entry.study_uid}/thumbnail",
    )


def _expected(study: archive.Study, missing: archive.Missing | None) -> int | None:
    """Return how many images there should be, None when nobody said."""
    return study.image_count + missing.missing if missing and missing.missing is not None else None


class UnknownPage(Invalid):
    """The place in the list is not one that this server gave out; start from the first page."""


def _key(after: str) -> tuple[datetime, str] | None:
    if not after:
        return None
    at, _, uid = after.partition("|")
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or not uid:
        raise UnknownPage("The place in the list is not one that this server gave out.")
    return moment, uid
