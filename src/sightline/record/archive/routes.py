"""HTTP face of the archive's keeping: what is held, corrected, rejected, in conflict, and how much."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from sightline.kernel import clock
from sightline.kernel.errors import Invalid
from sightline.record import archive
from sightline.runtime import jobs
from sightline.runtime.db import Db
from sightline.runtime.http import Snapshot, Tx
from sightline.trust import access
from sightline.trust.identity import Caller

router = APIRouter(prefix="/archive", tags=["archive"])

Uid = Annotated[str, Path(pattern=r"^[0-9.]{1,64}$")]
Limit = Annotated[int, Query(gt=0, le=200)]
After = Annotated[str, Query(max_length=200)]
Reason = Annotated[str, Field(max_length=1000)]
Uids = Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=10_000)]


class HeldPatient(BaseModel):
    """Who a study is of; `id` is opaque."""

    id: str
    name: str
    patient_id: str
    issuer: str
    birth_date: str
    sex: str


class StudyRow(BaseModel):
    """A study as lists show it; what is missing is null where nobody said how much there is."""

    uid: str
    patient: HeldPatient
    date: str
    time: str
    accession: str
    description: str
    modalities: list[str]
    series_count: int
    instance_count: int
    image_count: int
    bytes: int
    labels: list[str]
    simulated: bool
    first_received: datetime
    last_received: datetime
    settled: bool
    on_hold: bool
    expected: int | None
    missing: int | None
    conflicts: int


class StudyRows(BaseModel):
    """One page; `next` goes into `after`."""

    items: list[StudyRow]
    next: str | None
    total: int | None = None


class StudySearch(BaseModel):
    """What to list; words are looked for in names, IDs, accession numbers and descriptions."""

    text: str = Field(default="", max_length=200)
    modality: str = Field(default="", max_length=16)
    since: str = Field(default="", pattern=r"^(\d{8})?$")
    until: str = Field(default="", pattern=r"^(\d{8})?$")
    label: str = Field(default="", max_length=64)
    state: Literal["", "arriving", "incomplete", "held"] = ""
    limit: int = Field(default=50, gt=0, le=200)
    after: str = Field(default="", max_length=200)


@router.get("/studies")
def list_studies(caller: Caller, db: Snapshot, limit: Limit = 50, after: After = "") -> StudyRows:
    """List what is held, newest first."""
    return _rows(archive.list_studies(db, archive.Listing(), by=caller, limit=limit, after=_key(after)))


@router.post("/studies/search")
def search_studies(wanted: StudySearch, caller: Caller, db: Snapshot) -> StudyRows:
    """Search what is held; a POST keeps names out of addresses."""
    listing = archive.Listing(**wanted.model_dump(exclude={"limit", "after"}))
    page = archive.list_studies(db, listing, by=caller, limit=wanted.limit, after=_key(wanted.after))
    return _rows(page)


def _rows(page: archive.Page[archive.Listed]) -> StudyRows:
    return StudyRows(items=[_row(item) for item in page], next=_text(page.next))


def _row(item: archive.Listed) -> StudyRow:
    s = item.study
    names = ("uid", "date", "time", "accession", "description", "series_count", "instance_count",
             "image_count", "bytes", "simulated", "first_received", "last_received")  # fmt: skip
    return StudyRow(
        **{name: getattr(s, name) for name in names},
        patient=HeldPatient(
            id=s.patient, name=s.name, patient_id=s.patient_id, issuer=item.issuer,
            birth_date=s.birth_date, sex=s.sex,
        ),
        modalities=list(s.modalities),
        labels=list(item.labels),
        settled=s.settled_at is not None,
        on_hold=item.on_hold,
        expected=item.expected,
        missing=item.missing,
        conflicts=item.conflicts,
    )  # fmt: skip


def _key(after: str) -> tuple[str, str] | None:
    """Return the key of a page; its two parts are joined by a tilde."""
    if not after:
        return None
    first, tilde, second = after.partition("~")
    if not tilde or "~" in second:
        raise Invalid("This is not a page that this server gave out; begin at the first one.")
    return first, second


def _text(key: tuple[str, ...] | None) -> str | None:
    return "~".join(key) if key else None


class HeldSeries(BaseModel):
    """A series, and the instance numbers that are not there."""

    uid: str
    number: int | None
    modality: str
    description: str
    body_part: str
    instance_count: int
    frame_count: int
    bytes: int
    transfer_syntaxes: list[str]
    gaps: list[tuple[int, int]]


class ReceiptView(BaseModel):
    """What came from one source."""

    source: str
    kind: str
    first_at: datetime
    last_at: datetime
    instances: int


class ExpectationView(BaseModel):
    """How many objects somebody says there are."""

    origin: str
    count: int | None
    at: datetime


class RefusalView(BaseModel):
    """An object that was not taken, and why."""

    at: datetime
    source: str
    code: str
    reason: str


class CompletenessView(BaseModel):
    """Whether a study is all here, as far as is known."""

    received: list[ReceiptView]
    expected: list[ExpectationView]
    missing: int | None
    gaps: int
    refused: list[RefusalView]


class CorrectionView(BaseModel):
    """A correction: what was done, by whom and why, and whether it was undone."""

    id: int
    kind: str
    author: str
    at: datetime
    reason: str
    summary: str
    undone_at: datetime | None


class HoldView(BaseModel):
    """Who put a study under legal hold, when and why."""

    by: str
    at: datetime
    reason: str


class RetentionView(BaseModel):
    """Until when a study is kept, and by which rule."""

    until: datetime
    rule: str


class StudyDetails(BaseModel):
    """All that is known of what is held of a study."""

    study: StudyRow
    series: list[HeldSeries]
    completeness: CompletenessView
    corrections: list[CorrectionView]
    labels: list[str]
    hold: HoldView | None
    retention: RetentionView | None


@router.get("/studies/{uid}")
def get_study(uid: Uid, caller: Caller, db: Snapshot) -> StudyDetails:
    """Return what is held of a study, whether it is all, and what was corrected."""
    listed = archive.get_listed(db, uid, by=caller)
    known = archive.completeness(db, uid)
    s = listed.study
    kept = archive.retention_of(db, uid, modalities=s.modalities, received=s.last_received, date=s.date)
    hold = archive.hold_of(db, uid)
    return StudyDetails(
        study=_row(listed),
        series=[_series(details, known) for details in archive.series_details(db, uid)],
        completeness=CompletenessView(
            received=[ReceiptView(**_fields(r, ReceiptView)) for r in known.received],
            expected=[ExpectationView(**_fields(e, ExpectationView)) for e in known.expected],
            missing=known.missing,
            gaps=sum(last - first + 1 for runs in known.gaps.values() for first, last in runs),
            refused=[RefusalView(**_fields(r, RefusalView)) for r in known.refused],
        ),
        corrections=[_correction(c) for c in archive.corrections_of(db, uid)],
        labels=list(listed.labels),
        hold=HoldView(by=hold.by, at=hold.at, reason=hold.reason) if hold else None,
        retention=RetentionView(until=kept.until, rule=kept.rule) if kept else None,
    )


def _fields(value: object, view: type[BaseModel]) -> dict[str, Any]:
    return {name: getattr(value, name) for name in view.model_fields}


def _series(details: Any, known: archive.Completeness) -> HeldSeries:
    s = details.series
    names = ("uid", "number", "modality", "description", "body_part", "instance_count", "frame_count")
    return HeldSeries(
        **{name: getattr(s, name) for name in names},
        bytes=s.bytes,
        transfer_syntaxes=list(details.transfer_syntaxes),
        gaps=list(known.gaps.get(s.uid, ())),
    )


def _correction(c: archive.Correction) -> CorrectionView:
    return CorrectionView(
        id=c.id, kind=c.kind, author=c.author_name, at=c.at, reason=c.reason, summary=c.summary,
        undone_at=c.undone_at,
    )  # fmt: skip


class Edit(BaseModel):
    """Change attributes by keyword; null removes one."""

    kind: Literal["edit"]
    changes: dict[str, str | None] = Field(min_length=1, max_length=50)
    series: str | None = Field(default=None, max_length=64)
    reason: Reason = ""


class Move(BaseModel):
    """Give a study to another patient."""

    kind: Literal["move"]
    patient_id: str = Field(min_length=1, max_length=64)
    issuer: str = Field(default="", max_length=64)
    name: str | None = Field(default=None, max_length=200)
    birth_date: str | None = Field(default=None, pattern=r"^(\d{8})?$")
    sex: str | None = Field(default=None, max_length=16)
    reason: Reason = ""


class Split(BaseModel):
    """Split series off into a study of their own."""

    kind: Literal["split"]
    series: Uids
    reason: Reason = ""


@router.post("/studies/{uid}/corrections", status_code=201)
def correct_study(
    uid: Uid, wanted: Annotated[Edit | Move | Split, Field(discriminator="kind")], caller: Caller, db: Tx
) -> CorrectionView:
    """Correct what is held: edit attributes, move the study to another patient, or split series off."""
    if isinstance(wanted, Split):
        return _correction(archive.split_series(db, uid, wanted.series, reason=wanted.reason, by=caller))
    if isinstance(wanted, Move):
        to = archive.NewPatient(
            wanted.patient_id, wanted.issuer, wanted.name or "", wanted.birth_date or "", wanted.sex or ""
        )
        return _correction(archive.move_study(db, uid, to, reason=wanted.reason, by=caller))
    if wanted.series is not None:
        if archive.get_series(db, wanted.series).study != uid:
            raise archive.SeriesNotHeld("The study holds no such series.", series=wanted.series)
        made = archive.edit_series(db, wanted.series, wanted.changes, reason=wanted.reason, by=caller)
    else:
        made = archive.edit_study(db, uid, wanted.changes, reason=wanted.reason, by=caller)
    return _correction(made)


class Merge(BaseModel):
    """Say that two patients (opaque ids) are one."""

    from_: str = Field(alias="from", max_length=32)
    into: str = Field(max_length=32)
    reason: Reason = ""


@router.post("/patients/merge", status_code=201)
def merge_patients(wanted: Merge, caller: Caller, db: Tx) -> CorrectionView:
    """Merge one patient into another; undoing the correction parts them again."""
    return _correction(archive.merge_patients(db, wanted.from_, wanted.into, reason=wanted.reason, by=caller))


@router.post("/corrections/{id}/undo")
def undo_correction(id: int, caller: Caller, db: Tx) -> CorrectionView:  # noqa: A002
    """Undo a correction; refused while later ones rest on it."""
    return _correction(archive.undo(db, id, by=caller))


class ReasonView(BaseModel):
    """A reason to reject objects (DICOM CID 7011)."""

    code: str
    meaning: str


@router.get("/rejection-reasons")
def list_reasons(_caller: Caller) -> list[ReasonView]:
    """List the reasons to reject objects with."""
    return [ReasonView(code=code, meaning=text) for code, text in archive.REJECTION_REASONS.items()]


class Rejection(BaseModel):
    """What to reject and why; without series and instances the whole study."""

    code: str = Field(max_length=16)
    note: Reason = ""
    series: Uids = Field(default_factory=list)
    instances: Uids = Field(default_factory=list)


class Rejected(BaseModel):
    """The rejection note that says so to others."""

    note_uid: str


@router.post("/studies/{uid}/reject")
def reject_study(request: Request, uid: Uid, wanted: Rejection, caller: Caller) -> Rejected:
    """Reject a study or parts of it: it answers as not held, and a rejection note is kept for others."""
    note = archive.reject(
        archive.store_of(request), uid, wanted.code, note=wanted.note, by=caller,
        series_uids=wanted.series, sop_uids=wanted.instances,
    )  # fmt: skip
    return Rejected(note_uid=note)


class Trashing(BaseModel):
    """Why something goes to the trash; without series and instances the whole study."""

    reason: Reason = ""
    series: Uids = Field(default_factory=list)
    instances: Uids = Field(default_factory=list)


class Counted(BaseModel):
    """How many objects it was about."""

    instances: int


@router.post("/studies/{uid}/trash")
def trash_study(request: Request, uid: Uid, wanted: Trashing, caller: Caller, db: Tx) -> Counted:
    """Put a study or parts of it in the trash; it can be put back until its bytes go."""
    days = archive.store_of(request).settings.trash_days
    count = archive.trash_study(
        db, uid, reason=wanted.reason, by=caller, trash_days=days,
        series_uids=wanted.series, sop_uids=wanted.instances,
    )  # fmt: skip
    return Counted(instances=count)


class WithheldView(BaseModel):
    """What of a study is rejected or in the trash."""

    study_uid: str
    patient: HeldPatient
    date: str
    description: str
    modalities: list[str]
    instances: int
    bytes: int
    kind: str
    code: str
    note: str
    author: str
    at: datetime
    purge_after: datetime | None


class WithheldPage(BaseModel):
    """One page; `next` goes into `after`."""

    items: list[WithheldView]
    next: str | None


@router.get("/withheld")
def list_withheld(
    caller: Caller, db: Snapshot, kind: Literal["rejected", "trashed"], limit: Limit = 50, after: After = ""
) -> WithheldPage:
    """List what is rejected, or in the trash, the latest first."""
    page = archive.find_withheld(db, kind, by=caller, limit=limit, after=_key(after))
    return WithheldPage(items=[_withheld(item) for item in page], next=_text(page.next))


def _withheld(item: archive.Withheld) -> WithheldView:
    plain = {n: getattr(item, n) for n in WithheldView.model_fields if n not in {"patient", "modalities"}}
    patient = HeldPatient(**_fields(item.patient, HeldPatient))
    return WithheldView(**plain, patient=patient, modalities=list(item.modalities))


class Restoring(BaseModel):
    """What to put back: what was rejected, or what is in the trash."""

    kind: Literal["rejected", "trashed"]


@router.post("/withheld/{uid}/restore")
def restore_study(uid: Uid, wanted: Restoring, caller: Caller, db: Tx) -> Counted:
    """Put back what of a study was rejected or in the trash."""
    return Counted(instances=archive.restore(db, uid, wanted.kind, by=caller))


@router.post("/trash/empty")
def empty_trash(caller: Caller, db: Tx) -> Counted:
    """Have what is in the trash removed for good, but for what is under legal hold."""
    count = archive.empty_trash(db, by=caller)
    if count:
        jobs.enqueue(db, "archive-purge", key=f"archive-purge-{clock.now():%Y%m%d%H%M%S%f}")
    return Counted(instances=count)


class DifferenceView(BaseModel):
    """An attribute that two objects have different; null where one has it not."""

    tag: str
    keyword: str
    held: str | None
    new: str | None


class ConflictView(BaseModel):
    """An object that disagrees with what is held, side by side with it."""

    id: int
    study_uid: str
    sop_uid: str
    kind: str
    reason: str
    source: str
    received_at: datetime
    held: dict[str, str | None]
    new: dict[str, str | None]
    differs: list[DifferenceView]
    pixels_differ: bool | None


class ConflictPage(BaseModel):
    """One page; `next` goes into `after`."""

    items: list[ConflictView]
    next: str | None


@router.get("/conflicts")
def list_conflicts(
    request: Request, caller: Caller, db: Snapshot, study: str = "", limit: Limit = 50,
    after: Annotated[int, Query(ge=0)] = 0,
) -> ConflictPage:  # fmt: skip
    """List what awaits a person's decision, oldest first."""
    page = archive.list_conflicts(
        archive.store_of(request), db, by=caller, study_uid=study[:64], limit=limit, after=after
    )
    return ConflictPage(items=[_conflict(c) for c in page], next=page.next[0] if page.next else None)


def _conflict(c: archive.ConflictView) -> ConflictView:
    plain = {n: getattr(c, n) for n in ConflictView.model_fields if n != "differs"}
    differs = [DifferenceView(**_fields(d, DifferenceView)) for d in c.differs]
    return ConflictView(**plain, differs=differs)


class ConflictDecision(BaseModel):
    """How a conflict is decided."""

    decision: Literal["keep-held", "replace", "store-apart", "adopt"]
    reason: Reason = ""


class Decided(BaseModel):
    """Under which UID the object is held now, null when it is in the trash."""

    sop_uid: str | None


@router.post("/conflicts/{id}/decision")
def decide_conflict(
    request: Request,
    id: int,  # noqa: A002
    wanted: ConflictDecision,
    caller: Caller,
) -> Decided:
    """Decide on an object that disagrees with what is held; nothing is lost by it."""
    uid = archive.decide_conflict(
        archive.store_of(request), id, wanted.decision, reason=wanted.reason, by=caller
    )
    return Decided(sop_uid=uid or None)


@router.put("/studies/{uid}/labels/{label:path}", status_code=204)
def put_label(uid: Uid, label: Annotated[str, Path(max_length=64)], caller: Caller, db: Tx) -> Response:
    """Put a label on a study."""
    archive.label_study(db, uid, label, by=caller)
    return Response(status_code=204)


@router.delete("/studies/{uid}/labels/{label:path}", status_code=204)
def remove_label(uid: Uid, label: Annotated[str, Path(max_length=64)], caller: Caller, db: Tx) -> Response:
    """Take a label off a study."""
    archive.unlabel_study(db, uid, label, by=caller)
    return Response(status_code=204)


class Holding(BaseModel):
    """Why a study must be kept."""

    reason: Reason = ""


@router.put("/studies/{uid}/hold", status_code=204)
def hold_study(uid: Uid, wanted: Holding, caller: Caller, db: Tx) -> Response:
    """Put a study under legal hold: nothing of it can be removed."""
    archive.hold_study(db, uid, reason=wanted.reason, by=caller)
    return Response(status_code=204)


@router.delete("/studies/{uid}/hold", status_code=204)
def release_study(uid: Uid, caller: Caller, db: Tx) -> Response:
    """Lift a legal hold."""
    archive.release_study(db, uid, by=caller)
    return Response(status_code=204)


class Completed(BaseModel):
    """Whether the study was arriving still."""

    settled: bool


@router.post("/studies/{uid}/complete")
def complete_study(uid: Uid, caller: Caller, db: Tx) -> Completed:
    """Say that a study is complete: what waits for that begins at once."""
    return Completed(settled=archive.complete_study(db, uid, by=caller))


class ByModality(BaseModel):
    """What is stored of one modality."""

    modality: str
    studies: int
    instances: int
    bytes: int


class ByMonth(BaseModel):
    """What came in one month."""

    month: str
    instances: int
    bytes: int


class Disk(BaseModel):
    """How large the disk is, and how much of it is free, in bytes."""

    total: int
    free: int


class Quota(BaseModel):
    """How much may be kept, null for as much as fits, and how much is, in bytes."""

    bytes: int | None
    used: int


class OutOfSight(BaseModel):
    """How much is rejected, or in the trash."""

    studies: int
    bytes: int


class Storage(BaseModel):
    """What is stored and how much room there is."""

    studies: int
    series: int
    instances: int
    bytes: int
    by_modality: list[ByModality]
    by_month: list[ByMonth]
    disk: Disk | None
    quota: Quota
    trash: OutOfSight
    rejected: OutOfSight


@router.get("/storage")
def get_storage(request: Request, caller: Caller) -> Storage:
    """Say what is stored and how much room there is."""
    return Storage(**archive.storage_of(archive.store_of(request), by=caller))


class CoercionView(BaseModel):
    """A rule for what comes in: when it holds, and what it sets right."""

    name: str = Field(min_length=1, max_length=64)
    enabled: bool = True
    kind: str = Field(default="", max_length=16)
    source: str = Field(default="", max_length=64)
    modality: str = Field(default="", max_length=16)
    character_set: str = Field(default="", max_length=64)
    patient_id_prefix: str = Field(default="", max_length=32)
    issuer: str = Field(default="", max_length=64)
    remove_private: bool = False
    fixed: dict[str, str | None] = Field(default_factory=dict, max_length=50)


class RetentionRuleView(BaseModel):
    """A rule of how long studies are kept."""

    name: str = Field(min_length=1, max_length=64)
    keep_days: int = Field(gt=0, le=100_000)
    enabled: bool = True
    modality: str = Field(default="", max_length=16)
    label: str = Field(default="", max_length=64)
    basis: Literal["received", "used", "study-date"] = "received"
    action: Literal["trash", "propose"] = "propose"


class Rules(BaseModel):
    """The rules of the archive, in the order in which they are asked."""

    model_config = ConfigDict(extra="forbid")

    coercion: list[CoercionView] = Field(default_factory=list, max_length=200)
    retention: list[RetentionRuleView] = Field(default_factory=list, max_length=200)


@router.get("/rules")
def get_rules(caller: Caller, db: Snapshot) -> Rules:
    """Return the rules in force."""
    return rules_in_force(db, caller)


def rules_in_force(db: Db, by: access.Person) -> Rules:
    """Return the rules as they are told to clients."""
    coercions, retentions = archive.find_rules(db, by=by)
    return Rules(coercion=_views(coercions, CoercionView), retention=_views(retentions, RetentionRuleView))


def _views(rules: Sequence[Any], view: type[BaseModel]) -> list[Any]:
    return [view(**_fields(rule, view)) for rule in rules]


@router.put("/rules")
def put_rules(wanted: Rules, caller: Caller, db: Tx) -> Rules:
    """Put rules in place of those in force."""
    put_in_force(db, wanted, caller)
    return wanted


def put_in_force(db: Db, wanted: Rules, by: access.Person) -> None:
    """Put rules as clients tell them in place of those in force."""
    archive.replace_rules(
        db,
        coercions=[rule.model_dump() for rule in wanted.coercion],
        retentions=[rule.model_dump() for rule in wanted.retention],
        by=by,
    )
