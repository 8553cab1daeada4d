"""HTTP face of tumour response."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, Response

from sightline.care import response
from sightline.care.response._views import ResponseView, view_of
from sightline.record import archive, derived
from sightline.runtime.http import Snapshot, Tx
from sightline.trust.identity import Caller

router = APIRouter(prefix="/patients/{patient_id}/response", tags=["response"])

ByCriterion = Annotated[
    str | None, Query(max_length=64, description="Name of a criterion; none: the kept one.")
]
CSV: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {}}}}
FHIR: dict[int | str, dict[str, Any]] = {200: {"content": {"application/fhir+json": {}}}}
DICOM: dict[int | str, dict[str, Any]] = {200: {"content": {"application/dicom": {}}}}


class PlanBody(BaseModel):
    """What a person chose, and the version that they saw (0 where nothing was ever kept)."""

    version: int = Field(ge=0)
    plan: response.Plan


class VersionBody(BaseModel):
    """The version that a person saw."""

    version: int = Field(ge=0)


@router.get("")
def open_response(
    patient_id: str, caller: Caller, db: Snapshot, criterion: ByCriterion = None
) -> ResponseView:
    """Return a patient's tumour response by the kept criterion or another: a draft; a reader decides."""
    return view_of(response.open_response(db, patient_id, by=caller, criterion=criterion))


@router.put("")
def keep_plan(patient_id: str, body: PlanBody, caller: Caller, db: Tx) -> ResponseView:
    """Keep criterion, time points, lesions and what was seen of them, as a new version."""
    return view_of(response.keep_plan(db, patient_id, body.version, body.plan, by=caller))


@router.post("/undoing")
def take_back(patient_id: str, body: VersionBody, caller: Caller, db: Tx) -> ResponseView:
    """Take the last change back."""
    return view_of(response.take_back(db, patient_id, body.version, by=caller))


@router.get("/table", response_class=Response, responses=CSV)
def get_table(patient_id: str, caller: Caller, db: Snapshot, criterion: ByCriterion = None) -> Response:
    """Return the kept response as CSV: one row a time point, with every number, rule and source."""
    opened = response.evaluated_of(db, patient_id, "csv", by=caller, criterion=criterion)
    return Response(response.write_table(opened.evaluated), media_type="text/csv", headers=_named("csv"))


@router.get("/fhir", response_class=Response, responses=FHIR)
def get_fhir(patient_id: str, caller: Caller, db: Snapshot, criterion: ByCriterion = None) -> Response:
    """Return the kept response as preliminary FHIR R4 Observations (mCODE cancer disease status, drafts)."""
    opened = response.evaluated_of(db, patient_id, "fhir", by=caller, criterion=criterion)
    bundle = response.status_bundle(opened.evaluated, opened.patient)
    return JSONResponse(bundle, media_type="application/fhir+json", headers=_named("fhir.json"))


@router.get("/sr", response_class=Response, responses=DICOM)
def get_sr(
    patient_id: str,
    caller: Caller,
    db: Snapshot,
    held: archive.Held,
    criterion: ByCriterion = None,
    study: Annotated[
        str | None, Query(max_length=64, description="Study of a time point; none: the last.")
    ] = None,
) -> Response:
    """Return the kept response at a time point as a preliminary, unverified DICOM SR; it is not archived."""
    opened = response.evaluated_of(db, patient_id, "sr", by=caller, criterion=criterion)
    written = response.structured_response(held, db, opened, study)
    return Response(derived.encode(written), media_type="application/dicom", headers=_named("dcm"))


def _named(ending: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="tumour-response-draft.{ending}"'}
