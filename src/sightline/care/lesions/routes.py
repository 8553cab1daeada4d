"""HTTP face of lesions."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from sightline.care import display, lesions
from sightline.kernel.quantities import Quantity
from sightline.record import archive, findings
from sightline.runtime.http import Snapshot, Tx
from sightline.trust.identity import Caller

router = APIRouter(tags=["lesions"])

Mm = Annotated[float, Field(ge=-1e5, le=1e5, allow_inf_nan=False)]
Point = tuple[Mm, Mm, Mm]
Points = Annotated[list[Point], Field(max_length=200)]


Uid = Annotated[str, Query(pattern=r"^[0-9.]{1,64}$", description="A series or SOP instance UID.")]


class TouchBody(BaseModel):
    """A correction: points that belong to the lesion, and points that do not; LPS in mm."""

    add: Points = []
    remove: Points = []


class ClickBody(BaseModel):
    """A click in a lesion, or a stroke along its long axis, with the corrections after it; LPS in mm.

    `diameter_mm` is the length of the stroke. Without `kind` it is guessed from what lies round the click.
    """

    series_uid: str = Field(max_length=64)
    points_lps_mm: Annotated[list[Point], Field(min_length=1, max_length=200)]
    diameter_mm: Annotated[float | None, Field(gt=0, le=400)] = None
    corrections: Annotated[list[TouchBody], Field(max_length=lesions.MOST_CORRECTIONS)] = []
    kind: str | None = None

    def click(self) -> lesions.Click:
        """Return the click as the use cases take it."""
        return lesions.Click(
            self.series_uid,
            tuple(self.points_lps_mm),
            self.diameter_mm,
            tuple(lesions.Touch(tuple(touch.add), tuple(touch.remove)) for touch in self.corrections),
            self.kind,
        )


class ValueView(BaseModel):
    """A measured value with unit, 95 % interval and method."""

    value: float
    unit: str
    low: float | None
    high: float | None
    method: str


class ContourView(BaseModel):
    """The contours of the lesion in one image, LPS in mm."""

    sop_uid: str
    z_mm: float
    contours: list[list[Point]]


class ClickedView(BaseModel):
    """What a click cut out; nothing is kept. `values` by name, `notes` what to know before keeping it."""

    kind: str
    label: str
    series_uid: str
    sop_uid: str
    centre_lps_mm: Point
    values: dict[str, ValueView]
    slices: list[ContourView]
    long_axis: tuple[Point, Point] | None
    short_axis: tuple[Point, Point] | None
    method: str
    notes: list[str]


class LinkBody(BaseModel):
    """What findings of two studies are to each other, by id.

    One earlier and one later are the same or different lesions; several earlier merged into one; one earlier
    split into several later ones.
    """

    identity: findings.Identity
    earlier: Annotated[list[str], Field(min_length=1, max_length=20)]
    later: Annotated[list[str], Field(min_length=1, max_length=20)]


class Linked(BaseModel):
    """Under which name it can be taken back."""

    statement: str


class CandidateView(BaseModel):
    """A finding of the prior that the lesion could be; `away_mm` after alignment, null where not aligned."""

    finding_id: str
    number: int
    label: str
    study_uid: str
    tracking_uid: str
    long_axis: ValueView | None
    volume: ValueView | None
    away_mm: float | None


class Kept(BaseModel):
    """The finding that was made."""

    finding_id: str


@router.post("/studies/{study_uid}/click")
def look(study_uid: str, body: ClickBody, caller: Caller, on: display.On) -> ClickedView:
    """Cut out and measure the lesion at a click, or along a stroke, without keeping it."""
    return _clicked(lesions.look(on, study_uid, body.click(), by=caller))


@router.post("/studies/{study_uid}/findings")
def mark(study_uid: str, body: ClickBody, caller: Caller, on: display.On) -> Kept:
    """Keep the lesion at a click as a finding of the caller's."""
    return Kept(finding_id=lesions.mark(on, study_uid, body.click(), by=caller).id)


@router.post("/lesion-links")
def link(body: LinkBody, caller: Caller, db: Tx, held: archive.Held) -> Linked:
    """Say which findings of two studies are one lesion, are two, have merged or have split."""
    return Linked(statement=lesions.link(held, db, body.identity, body.earlier, body.later, by=caller).id)


@router.delete("/lesion-links/{statement}", status_code=204)
def unlink(statement: str, caller: Caller, db: Tx, held: archive.Held) -> None:
    """Take back what was said; what stood before stands again."""
    lesions.unlink(held, db, statement, by=caller)


@router.get("/findings/{finding_id}/candidates")
def find_candidates(finding_id: str, caller: Caller, db: Snapshot, held: archive.Held) -> list[CandidateView]:
    """List the findings of the prior that a finding could be, the nearest after alignment first."""
    found = lesions.find_candidates(held, db, finding_id, by=caller)
    return [_candidate(candidate.finding, candidate.away_mm) for candidate in found]


@router.get("/comparisons/{comparison_id}/prior", response_class=Response)
def get_prior(
    request: Request,
    comparison_id: str,
    caller: Caller,
    on: display.On,
    *,
    series: Uid,
    image: Uid,
    frame: Annotated[int, Query(ge=1, le=100_000)] = 1,
) -> Response:
    """Give the aligned prior on one image of the study: float32 little endian (row, column), NaN outside."""
    return _floats(request, lesions.prior_on_slice(on, comparison_id, series, image, frame, by=caller))


@router.get("/studies/{study_uid}/priors/{prior_uid}/slice", response_class=Response)
def get_paired(
    request: Request,
    study_uid: str,
    prior_uid: str,
    caller: Caller,
    on: display.On,
    *,
    series: Uid,
    image: Uid,
    frame: Annotated[int, Query(ge=1, le=100_000)] = 1,
) -> Response:
    """Give any earlier study, once aligned, on one image of the study: as of the prior of a comparison."""
    shown = lesions.Image(series, image, frame)
    return _floats(request, lesions.paired_on_slice(on, study_uid, prior_uid, shown, by=caller))


def _floats(request: Request, found: lesions.PriorSlice) -> Response:
    data = found.values.astype("<f4").tobytes()
    encoding = display.choose_encoding(request.headers.get("accept-encoding", ""), len(data))
    headers = {
        "Cache-Control": "private, max-age=3600",
        "Vary": "Accept-Encoding",
        "Sightline-Shape": ",".join(str(n) for n in found.values.shape),
    }
    if encoding:
        headers["Content-Encoding"] = encoding
    body = b"".join(display.packed(iter([data]), encoding))
    return Response(body, media_type="application/octet-stream", headers=headers)


def _candidate(finding: findings.Finding, away_mm: float | None) -> CandidateView:
    values = {name: _value(quantity) for name, quantity in finding.values.items()}
    return CandidateView(
        finding_id=finding.id,
        number=finding.number,
        label=finding.label,
        study_uid=finding.study_uid,
        tracking_uid=finding.lesion,
        long_axis=values.get("long_axis"),
        volume=values.get("volume"),
        away_mm=away_mm,
    )


def _clicked(clicked: lesions.Clicked) -> ClickedView:
    found = clicked.found
    return ClickedView(
        kind=found.kind,
        label=found.label,
        series_uid=found.series_uid,
        sop_uid=found.sop_uid,
        centre_lps_mm=found.centre_lps_mm,
        values={name: _value(quantity) for name, quantity in found.values.items()},
        slices=[
            ContourView(sop_uid=uid, z_mm=z, contours=[list(contour) for contour in contours])
            for uid, z, contours in found.outline.slices
        ],
        long_axis=found.outline.long_axis,
        short_axis=found.outline.short_axis,
        method=clicked.method,
        notes=list(clicked.notes),
    )


def _value(quantity: Quantity) -> ValueView:
    return ValueView(
        value=quantity.value, unit=quantity.unit, low=quantity.low, high=quantity.high, method=quantity.method
    )
