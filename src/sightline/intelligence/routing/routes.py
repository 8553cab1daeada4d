"""HTTP face of comparing on demand."""

from dataclasses import asdict
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from sightline.intelligence.routing import _mapping as mapping
from sightline.record import archive
from sightline.runtime.http import Snapshot
from sightline.trust.identity import Caller

router = APIRouter(tags=["comparing"])


class MapObjectView(BaseModel):
    """One object of a map, kept in the study: a Parametric Map or the Segmentation of what changed."""

    kind: Literal["PM", "SEG"]
    sop_uid: str
    series_uid: str
    label: str


class MapView(BaseModel):
    """How the map of change between a study and its prior stands; when it is done, its objects.

    `increases` and `decreases` count clusters beyond noise, at a false discovery rate of 0.05.
    """

    status: mapping.MapStatus
    text: str
    prior_uid: str
    increases: int
    decreases: int
    objects: list[MapObjectView]
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
