"""HTTP face of reading."""

from datetime import datetime
from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.responses import Response

from sightline.care import reading, worklist
from sightline.care.reading import PatientView, QuantityView, Visit, patient_view, quantity_view, visit_of
from sightline.intelligence import routing
from sightline.kernel.dates import iso_date
from sightline.record import annotations, archive, findings, timeline
from sightline.runtime.http import Snapshot, Tx
from sightline.trust.identity import Caller

router = APIRouter(tags=["reading"])

Point = tuple[float, float, float]


class SeriesView(BaseModel):
    """A series of a study."""

    uid: str
    modality: str
    number: int | None
    description: str
    images: int
    thumbnail_url: str


class StudyView(BaseModel):
    """A study as it is read."""

    uid: str
    patient: PatientView
    date: str
    time: str
    exam: str
    modality: str
    accession: str
    indication: str | None
    simulated: bool
    series: list[SeriesView]


class Window(BaseModel):
    """Centre and width in the unit of the images."""

    center: float
    width: float


class DisplayView(BaseModel):
    """Which series to show first and how; no window means the images' own."""

    series_uid: str
    window: Window | None
    why: str


class PriorView(BaseModel):
    """The prior that is shown beside, and why it was chosen."""

    study: StudyView
    display: DisplayView | None
    why: str
    days: int


class PriorChoice(BaseModel):
    """A prior that could be shown."""

    study_uid: str
    date: str
    exam: str
    why: str


class TestView(BaseModel):
    """One test of the alignment."""

    name: str
    value: float
    limit: float
    unit: str
    passed: bool


class GridView(BaseModel):
    """The grid on which the displacement is sampled: LPS, mm; `directions` row-major, columns x, y, z."""

    url: str
    shape_zyx: tuple[int, int, int]
    spacing_xyz_mm: Point
    origin_lps_mm: Point
    directions: list[float]


class ComparisonView(BaseModel):
    """How study and prior were aligned."""

    id: str
    prior_uid: str
    verdict: Literal["good", "care", "failed"]
    reason: str
    method: str
    tests: list[TestView]
    grid: GridView | None
    images: tuple[str, str] | None = Field(
        None, description="SOP instances, current first, where two single images were aligned in the plane."
    )


class AnalysisView(BaseModel):
    """How the analysis stands."""

    state: str
    text: str
    model: str


class PlaceView(BaseModel):
    """Where a lesion lies and how large it is at one date."""

    finding_id: str
    study_uid: str
    series_uid: str
    sop_uid: str
    centre_lps_mm: Point
    volume: QuantityView | None
    long_axis: QuantityView | None
    short_axis: QuantityView | None
    mean_hu: QuantityView | None
    mean: QuantityView | None
    peak: QuantityView | None
    outline_url: str


class LimitsView(BaseModel):
    """What repeat measurements may differ by (%), for which sizes and slices, and by whose figure."""

    quantity: str
    low: float
    high: float
    size_low_mm: float
    size_high_mm: float | None
    slice_mm: float
    max_slice_mm: float
    source: str
    added: list[str]


class ChangeView(BaseModel):
    """What became of a lesion since the prior; percent is of volume, with its 95 % interval.

    `linked` by alignment, or as a person `said` (same, merged, split, different).
    """

    kind: str
    percent: float | None
    low: float | None
    high: float | None
    doubling_days: float | None
    doubling_low: float | None
    doubling_high: float | None
    text: str
    reason: str
    linked: bool
    said: str | None
    said_by: str | None
    statement: str | None
    limits: LimitsView | None


class CurvePoint(BaseModel):
    """The volume of a lesion at one date."""

    study_uid: str
    date: str
    volume_mm3: float
    low: float | None
    high: float | None
    long_axis_mm: float | None


class SourceView(BaseModel):
    """What a finding is answerable to."""

    kind: str
    name: str
    version: str
    run: str
    inputs_sha256: str
    parameters_sha256: str


class FindingView(BaseModel):
    """A finding with its lesion over time."""

    id: str
    number: int
    label: str
    kind: str
    state: findings.State
    tracking_uid: str
    source: SourceView
    why: str
    score: float | None
    current: PlaceView | None
    prior: PlaceView | None
    change: ChangeView | None
    curve: list[CurvePoint]
    proposed: dict[str, QuantityView]
    decided_by: str | None
    decided_at: datetime | None
    note: str | None


class Neighbour(BaseModel):
    """The next or previous study on the worklist."""

    study_uid: str
    label: str


class Reading(BaseModel):
    """A study with everything that belongs beside it."""

    study: StudyView
    current: DisplayView | None
    prior: PriorView | None
    priors: list[PriorChoice]
    comparison: ComparisonView | None
    analysis: AnalysisView
    findings: list[FindingView]
    vanished: list[FindingView]
    timeline: list[Visit]
    next: Neighbour | None
    previous: Neighbour | None
    place_reason: str
    state: str


class DecisionBody(BaseModel):
    """A person's word on a finding."""

    decision: findings.Decision
    reason: str | None = Field(default=None, max_length=500)


class CorrectionBody(BaseModel):
    """A person's values in place of the model's; what is left out stays as it is."""

    label: str | None = Field(default=None, min_length=1, max_length=200)
    long_axis_mm: float | None = None
    short_axis_mm: float | None = None
    volume_mm3: float | None = None
    note: str | None = Field(default=None, max_length=2000)


class OutlineSlice(BaseModel):
    """The contours of a lesion in one image, LPS in mm."""

    sop_uid: str
    z_mm: float
    contours: list[list[Point]]


class OutlineView(BaseModel):
    """The outline of a lesion and its axes, LPS in mm."""

    finding_id: str
    series_uid: str
    slices: list[OutlineSlice]
    long_axis: tuple[Point, Point] | None
    short_axis: tuple[Point, Point] | None


class AnnotationsBody(BaseModel):
    """All that the caller drew on a study; what is left out is taken back.

    `version` is that of the annotations as they were loaded; with it, nobody's work is overwritten unseen.
    """

    version: str = Field(default="", max_length=64)
    measurements: list[annotations.Measurement] = []
    key_images: list[annotations.KeyImage] = []
    presentations: list[annotations.Presentation] = []


class AnnotationsSaved(BaseModel):
    """What became of it: objects written and taken back, the measurements as computed here, the findings."""

    written: list[annotations.Written]
    withdrawn_series: list[str]
    measurements: list[annotations.Measurement]
    findings: list[str]
    remarks: list[str]


@router.get("/studies/{study_uid}/reading")
def open_study(study_uid: str, caller: Caller, db: Snapshot, ahead: bool = False) -> Reading:
    """Open a study: its images, its prior, what has changed, what was found.

    `ahead` fetches it while the reader only looks at its row; the audit trail keeps the two apart.
    """
    return _reading(reading.open_study(db, study_uid, by=caller, ahead=ahead))


@router.post("/studies/{study_uid}/opening", status_code=204)
def note_opening(study_uid: str, caller: Caller) -> None:
    """Say that a study that was fetched ahead has now been opened."""
    reading.note_opening(study_uid, by=caller)


@router.post("/studies/{study_uid}/priors/{prior_uid}/opening", status_code=204)
def note_prior(study_uid: str, prior_uid: str, caller: Caller, db: Tx) -> None:
    """Say that a reader put a prior beside a study by hand; such ones rank higher from then on."""
    timeline.note_choice(db, study_uid, prior_uid, by=caller)


@router.get("/comparisons/{comparison_id}/grid", response_class=Response)
def get_grid(comparison_id: str, caller: Caller, db: Snapshot, held: archive.Held) -> Response:
    """Return the displacement from study to prior: float32 little endian (z, y, x, 3), mm, LPS."""
    data = reading.field_of(held, db, comparison_id, by=caller)
    return Response(
        data, media_type="application/octet-stream", headers={"Cache-Control": "private, max-age=3600"}
    )


@router.get("/findings/{finding_id}/outline")
def get_outline(finding_id: str, caller: Caller, db: Snapshot) -> OutlineView:
    """Return the outline of a finding."""
    finding, outline = reading.outline_of(db, finding_id, by=caller)
    slices = [OutlineSlice(sop_uid=uid, z_mm=z, contours=contours) for uid, z, contours in outline["slices"]]
    return OutlineView(
        finding_id=finding.id,
        series_uid=finding.series_uid,
        slices=slices,
        long_axis=outline["long_axis"],
        short_axis=outline["short_axis"],
    )


@router.post("/findings/{finding_id}/decision")
def decide(finding_id: str, body: DecisionBody, caller: Caller, db: Tx) -> FindingView:
    """Accept or reject a finding, or take that back."""
    finding = reading.decide(db, finding_id, body.decision, by=caller, reason=body.reason)
    return _finding_again(db, finding, caller)


@router.put("/findings/{finding_id}")
def correct(finding_id: str, body: CorrectionBody, caller: Caller, db: Tx) -> FindingView:
    """Put a person's label or values in place of the model's."""
    finding = reading.correct(db, finding_id, findings.Correction(**body.model_dump()), by=caller)
    return _finding_again(db, finding, caller)


@router.post("/studies/{study_uid}/annotations/saving")
def save_annotations(
    study_uid: str, body: AnnotationsBody, caller: Caller, held: archive.Held
) -> AnnotationsSaved:
    """Save what the caller drew on a study as DICOM: measurements, key images, presentations."""
    content = annotations.Content(body.measurements, body.key_images, body.presentations)
    saved, changed = reading.save_annotations(held, study_uid, content, by=caller, version=body.version)
    return AnnotationsSaved(
        written=saved.written,
        withdrawn_series=saved.withdrawn,
        measurements=saved.measurements,
        findings=changed,
        remarks=saved.remarks,
    )


@router.post("/studies/{study_uid}/analysis")
def analyse(study_uid: str, caller: Caller, db: Tx) -> AnalysisView:
    """Send the study to its models again."""
    return _analysis(routing.request_analysis(db, study_uid, by=caller, again=True))


def _reading(opened: reading.Opened) -> Reading:
    comparison = opened.comparison
    changes = {c.current: c for c in comparison.changes if c.current} if comparison else {}
    gone = [c for c in comparison.changes if c.current is None and c.prior] if comparison else []
    return Reading(
        study=_study(opened.study, opened.series, opened.indication),
        current=_display(opened.shown),
        prior=_prior(opened),
        priors=[
            PriorChoice(study_uid=s.uid, date=iso_date(s.date), exam=timeline.exam_of(s), why=ranked.why)
            for s, ranked in opened.priors
        ],
        comparison=_comparison(comparison),
        analysis=_analysis(opened.analysis),
        findings=[
            _finding(f, changes.get(f.id), opened.earlier, opened.lines.get(f.lesion, [f]), opened.dates)
            for f in opened.found
        ],
        vanished=[
            _finding(
                opened.earlier[c.prior],
                c,
                opened.earlier,
                opened.lines[opened.earlier[c.prior].lesion],
                opened.dates,
                gone=True,
            )
            for c in gone
            if c.prior in opened.earlier and opened.earlier[c.prior].lesion in opened.lines
        ],
        timeline=[visit_of(s) for s in sorted(opened.history, key=lambda s: (s.date, s.time))],
        next=_neighbour(opened.after),
        previous=_neighbour(opened.before),
        place_reason=opened.entry.reason if opened.entry else "",
        state=opened.entry.state if opened.entry else "arriving",
    )


def _finding_again(db: Any, finding: findings.Finding, caller: Any) -> FindingView:
    """Return a finding as the page shows it, after a person's word on it."""
    opened = reading.open_study(db, finding.study_uid, by=caller)
    comparison = opened.comparison
    changes = {c.current: c for c in comparison.changes if c.current} if comparison else {}
    line = opened.lines.get(finding.lesion, [finding])
    return _finding(finding, changes.get(finding.id), opened.earlier, line, opened.dates)


def _study(study: archive.Study, series: Any, indication: str | None = None) -> StudyView:
    return StudyView(
        uid=study.uid,
        patient=patient_view(study),
        date=iso_date(study.date),
        time=study.time,
        exam=timeline.exam_of(study),
        modality=timeline.image_modality(study),
        accession=study.accession,
        indication=indication,
        simulated=study.simulated,
        series=[
            SeriesView(
                uid=s.uid,
                modality=s.modality,
                number=s.number,
                description=s.description,
                images=s.frame_count,
                thumbnail_url=f"/dicom-web/studies/{study.uid}/series/{s.uid}/thumbnail",
            )
            for s in series
        ],
    )


def _display(shown: reading.Shown | None) -> DisplayView | None:
    if shown is None:
        return None
    window = Window(center=shown.window[0], width=shown.window[1]) if shown.window else None
    return DisplayView(series_uid=shown.series_uid, window=window, why=shown.why)


def _prior(opened: reading.Opened) -> PriorView | None:
    if opened.prior is None:
        return None
    study, ranked = opened.prior
    return PriorView(
        study=_study(study, opened.prior_series),
        display=_display(opened.prior_shown),
        why=ranked.why,
        days=ranked.days,
    )


def _comparison(comparison: timeline.Comparison | None) -> ComparisonView | None:
    if comparison is None:
        return None
    alignment = comparison.alignment
    grid = (
        GridView(url=f"/api/comparisons/{comparison.id}/grid", **alignment.grid) if alignment.grid else None
    )
    return ComparisonView(
        id=comparison.id,
        prior_uid=comparison.prior_uid,
        verdict=alignment.verdict,
        reason=alignment.reason,
        method=alignment.method,
        tests=[TestView(**test) for test in alignment.tests],
        grid=grid,
        images=alignment.images,
    )


def _analysis(analysis: routing.Analysis) -> AnalysisView:
    return AnalysisView(state=analysis.state, text=analysis.text, model=analysis.model)


def _finding(
    finding: findings.Finding,
    change: timeline.Change | None,
    earlier: dict[str, findings.Finding],
    line: list[findings.Finding],
    dates: dict[str, str],
    *,
    gone: bool = False,
) -> FindingView:
    before = earlier.get(change.prior) if change and change.prior else None
    source = finding.source
    return FindingView(
        id=finding.id,
        number=finding.number,
        label=finding.label,
        kind=finding.kind,
        state=finding.state,
        tracking_uid=finding.lesion,
        source=SourceView(
            kind=source.kind,
            name=source.name,
            version=source.version,
            run=source.run,
            inputs_sha256=source.inputs_sha256,
            parameters_sha256=source.parameters_sha256,
        ),
        why=finding.why,
        score=finding.score,
        current=None if gone else _place(finding),
        prior=_place(finding) if gone else (_place(before) if before else None),
        change=_change(change),
        curve=_curve(line, dates),
        proposed={name: quantity_view(q) for name, q in finding.proposed.items()},
        decided_by=finding.decided_by_name,
        decided_at=finding.decided_at,
        note=finding.note,
    )


def _place(finding: findings.Finding) -> PlaceView:
    values = {name: quantity_view(q) for name, q in finding.values.items()}
    return PlaceView(
        finding_id=finding.id,
        study_uid=finding.study_uid,
        series_uid=finding.series_uid,
        sop_uid=finding.sop_uid,
        centre_lps_mm=finding.centre_lps_mm,
        volume=values.get("volume"),
        long_axis=values.get("long_axis"),
        short_axis=values.get("short_axis"),
        mean_hu=values.get("mean_hu"),
        mean=values.get("mean"),
        peak=values.get("peak"),
        outline_url=f"/api/findings/{finding.id}/outline",
    )


def _change(change: timeline.Change | None) -> ChangeView | None:
    if change is None:
        return None
    names = ChangeView.model_fields
    return ChangeView(**{name: getattr(change, name) for name in names})


def _curve(line: list[findings.Finding], dates: dict[str, str]) -> list[CurvePoint]:
    points = []
    for finding in sorted(line, key=lambda f: dates[f.study_uid]):
        volume, long_axis = finding.values.get("volume"), finding.values.get("long_axis")
        if volume:
            points.append(
                CurvePoint(
                    study_uid=finding.study_uid,
                    date=iso_date(dates[finding.study_uid]),
                    volume_mm3=volume.value,
                    low=volume.low,
                    high=volume.high,
                    long_axis_mm=long_axis.value if long_axis else None,
                )
            )
    return points


def _neighbour(entry: worklist.Entry | None) -> Neighbour | None:
    return Neighbour(study_uid=entry.study_uid, label=f"{entry.exam} · {entry.reason}") if entry else None
