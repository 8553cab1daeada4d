"""HTTP face of comparing on demand."""

from dataclasses import asdict
from datetime import datetime
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from sightline.intelligence.routing import _mapping as mapping
from sightline.intelligence.routing import _ondemand as ondemand
from sightline.record import archive, timeline
from sightline.runtime.http import Snapshot
from sightline.trust.identity import Caller

router = APIRouter(tags=["comparing"])


class MapObjectView(BaseModel):
    """One object of a map, kept in the study: a Parametric Map or the Segmentation of what changed.

    `content` is its Content Label: CHANGE_Z, CHANGE_RATIO, GROWTH_LOGJAC or CHANGE.
    """

    kind: Literal["PM", "SEG"]
    sop_uid: str
    series_uid: str
    label: str
    content: str


class MapAmountView(BaseModel):
    """A measured value with UCUM unit, 95 % interval where there is one, and method."""

    value: float
    unit: str
    low: float | None
    high: float | None
    method: str


class MapClusterView(BaseModel):
    """A place that changed beyond noise.

    `volume` is that of the voxels beyond the threshold, `difference` the mean of current less prior, `peak_z`
    the largest z with its sign, `q` the p after Benjamini-Hochberg over all clusters of the map.
    """

    sign: Literal["increase", "decrease"]
    centre_lps_mm: tuple[float, float, float]
    volume: MapAmountView
    difference: MapAmountView
    peak_z: float
    q: float


class MapView(BaseModel):
    """How the map of change between a study and its prior stands; when it is done, what it found.

    `series_uid` is the scan that is mapped; `since` is when a map that waits was asked for, or one that is
    being made was begun. `increases` and `decreases` count clusters beyond noise, at a false discovery rate
    of 0.05; `clusters` has them, the surest first.
    """

    status: mapping.MapStatus
    text: str
    prior_uid: str
    series_uid: str
    since: datetime | None
    increases: int
    decreases: int
    objects: list[MapObjectView]
    clusters: list[MapClusterView]
    method: str
    source: str
    notes: list[str]


@router.post("/studies/{study_uid}/change-map", status_code=202)
def request_map(study_uid: str, caller: Caller, held: archive.Held) -> MapView:
    """Have the change since the prior mapped: Parametric Maps and a Segmentation, stored in the study."""
    return _view(mapping.request_map(held, study_uid, by=caller))


@router.get("/studies/{study_uid}/change-map")
def get_map(study_uid: str, caller: Caller, db: Snapshot, held: archive.Held) -> MapView:
    """Say how the map of change of a study stands."""
    return _view(mapping.map_state(held, db, study_uid, by=caller))


def _view(state: mapping.MapState) -> MapView:
    return MapView.model_validate(asdict(state))


class PairTest(BaseModel):
    """One test of an alignment."""

    name: str
    value: float
    limit: float
    unit: str
    passed: bool


class PairGrid(BaseModel):
    """The grid on which a displacement is sampled: LPS, mm; `directions` row-major, columns x, y, z."""

    url: str
    shape_zyx: tuple[int, int, int]
    spacing_xyz_mm: tuple[float, float, float]
    origin_lps_mm: tuple[float, float, float]
    directions: list[float]


class AlignmentView(BaseModel):
    """How two studies were aligned: the verdict, the test that decided it, all tests, where the field is."""

    prior_uid: str
    verdict: Literal["good", "care", "failed"]
    reason: str
    method: str
    tests: list[PairTest]
    grid: PairGrid | None
    images: tuple[str, str] | None = Field(
        None, description="SOP instances, current first, where two single images were aligned in the plane."
    )


class PairView(BaseModel):
    """How the alignment of a study with one earlier study stands; `alignment` is there when it is done.

    `failed` means that it broke on our side: asked for again, it is made again.
    """

    status: ondemand.PairStatus
    text: str
    prior_uid: str
    study_series_uid: str
    prior_series_uid: str
    alignment: AlignmentView | None


@router.post("/studies/{study_uid}/priors/{prior_uid}/alignment", status_code=202)
def request_alignment(study_uid: str, prior_uid: str, caller: Caller, held: archive.Held) -> PairView:
    """Have a study aligned with an earlier one that is put beside it; what is known is not made again."""
    return _pair_view(ondemand.request_alignment(held, study_uid, prior_uid, by=caller))


@router.get("/studies/{study_uid}/priors/{prior_uid}/alignment")
def get_alignment(
    study_uid: str, prior_uid: str, caller: Caller, db: Snapshot, held: archive.Held
) -> PairView:
    """Say how the alignment of a study with an earlier one stands."""
    return _pair_view(ondemand.alignment_state(held, db, study_uid, prior_uid, by=caller))


@router.get("/studies/{study_uid}/priors/{prior_uid}/grid", response_class=Response)
def get_pair_grid(
    study_uid: str, prior_uid: str, caller: Caller, db: Snapshot, held: archive.Held
) -> Response:
    """Return the displacement from a study to an earlier one: float32 little endian (z, y, x, 3), mm, LPS."""
    data = ondemand.field_of(held, db, study_uid, prior_uid, by=caller)
    return Response(data, media_type="application/octet-stream", headers={"Cache-Control": "no-store"})


def _pair_view(state: ondemand.PairAlignment) -> PairView:
    told = state.alignment
    return PairView(
        status=state.status,
        text=state.text,
        prior_uid=state.prior_uid,
        study_series_uid=state.study_series_uid,
        prior_series_uid=state.prior_series_uid,
        alignment=_alignment_view(state, told) if told else None,
    )


def _alignment_view(state: ondemand.PairAlignment, told: timeline.AlignmentSummary) -> AlignmentView:
    url = f"/api/studies/{state.study_uid}/priors/{state.prior_uid}/grid"
    return AlignmentView(
        prior_uid=state.prior_uid,
        verdict=told.verdict,
        reason=told.reason,
        method=told.method,
        tests=[PairTest(**test) for test in told.tests],
        grid=PairGrid(url=url, **told.grid) if told.grid else None,
        images=told.images,
    )
