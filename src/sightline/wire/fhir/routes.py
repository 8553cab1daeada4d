"""FHIR R4 over HTTP: read and search of reports, studies and patients."""

import functools
from collections.abc import Callable
from datetime import date
from importlib.metadata import version
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sightline.care import reporting
from sightline.kernel.errors import Invalid, NotFound, PlatformError
from sightline.record import archive
from sightline.runtime.db import Db
from sightline.runtime.http import status_of
from sightline.trust import access, identity
from sightline.wire.fhir import _resources as resources
from sightline.wire.fhir import _service as service

MEDIA_TYPE = "application/fhir+json"
RELEASED = date(2026, 11, 24)
MAX_PAGE = 100

CAPABILITIES = (
    resources.Capability(
        "DiagnosticReport", ("read", "search-type"), {"patient": "reference", "_count": "number"}
    ),
    resources.Capability(
        "ImagingStudy",
        ("read", "search-type"),
        {"patient": "reference", "identifier": "token", "_count": "number"},
    ),
    resources.Capability("Patient", ("read", "search-type"), {"identifier": "token"}),
    resources.Capability("Endpoint", ("read",), {}),
)

Answer = Callable[[Request, Db, access.Person], Any]


class NoSuchResource(NotFound):
    """The server gives out no such resource; `/fhir/metadata` lists those it does."""


class SearchTooWide(Invalid):
    """A search names a patient or an identifier; searching all is not offered."""


def build() -> list[Route]:
    """Return the routes below `/fhir`."""
    readers: dict[str, Answer] = {
        "/DiagnosticReport/{id}": _report,
        "/ImagingStudy/{id}": _study,
        "/Patient/{id}": _patient,
        "/Endpoint/{id}": _endpoint,
        "/DiagnosticReport": _reports,
        "/ImagingStudy": _studies,
        "/Patient": _patients,
    }
    routes = [Route("/metadata", _metadata)]
    return routes + [Route(path, _guarded(answer)) for path, answer in readers.items()]


def _guarded(answer: Answer) -> Callable[[Request], Response]:
    """Wrap an answer: who calls, one snapshot, refusals as OperationOutcome."""

    @functools.wraps(answer)
    def endpoint(request: Request) -> Response:
        try:
            caller = identity.caller_of(request)
            with request.app.state.database.reading() as db:
                return _json(answer(request, db, caller))
        except PlatformError as error:
            return _json(resources.operation_outcome(error), status_of(error))

    return endpoint


def _metadata(request: Request) -> Response:
    statement = resources.capability_statement(
        CAPABILITIES, base_url=_base(request), version=version("sightline"), released=RELEASED
    )
    return _json(statement)


def _report(request: Request, db: Db, caller: access.Person) -> Any:
    """Return a signed report."""
    report = reporting.find_report(db, request.path_params["id"], by=caller)
    if report.state is not reporting.ReportState.SIGNED:
        raise NoSuchResource("Only signed reports are given out.")
    return resources.diagnostic_report(service.report_view(_held(request), db, report, by=caller))


def _reports(request: Request, db: Db, caller: access.Person) -> Any:
    """Return the signed reports of a patient, newest first."""
    patient = _reference(request, "Patient")
    signed = reporting.find_signed(db, patient, by=caller, limit=_count(request))
    found = [
        resources.diagnostic_report(service.report_view(_held(request), db, report, by=caller))
        for report in signed
    ]
    return _bundle(request, found)


def _study(request: Request, db: Db, caller: access.Person) -> Any:
    """Return a study."""
    return resources.imaging_study(service.study_view(db, request.path_params["id"], by=caller))


def _studies(request: Request, db: Db, caller: access.Person) -> Any:
    """Return the studies of a patient, or the one of an identifier."""
    identifier = request.query_params.get("identifier", "").rpartition("|")[2].removeprefix("urn:oid:")
    if identifier:
        uids = [identifier]
        access.require(caller, "archive.read", on=identifier)
        page = archive.find_studies(db, archive.StudyQuery(study_uids=uids), limit=1)
    else:
        query = archive.StudyQuery(patient=_reference(request, "Patient"))
        access.require(caller, "archive.read", on=query.patient)
        page = archive.find_studies(db, query, limit=_count(request))
    return _bundle(
        request, [resources.imaging_study(service.study_view(db, s.uid, by=caller)) for s in page.items]
    )


def _patient(request: Request, db: Db, caller: access.Person) -> Any:
    """Return a patient by the opaque id."""
    return resources.patient(service.patient_view(db, request.path_params["id"], by=caller))


def _patients(request: Request, db: Db, caller: access.Person) -> Any:
    """Return the patients of an identifier: several where several issuers gave it, told apart by them."""
    identifier = request.query_params.get("identifier", "").rpartition("|")[2]
    if not identifier:
        raise SearchTooWide("Name the patient by identifier.")
    access.require(caller, "patient.read")
    found = [
        resources.patient(service.patient_view(db, held.id, by=caller))
        for held in archive.patients_called(db, identifier)
    ]
    return _bundle(request, found)


def _endpoint(request: Request, _: Db, caller: access.Person) -> Any:
    """Return where images are retrieved from."""
    access.require(caller, "archive.read")
    if request.path_params["id"] != service.ENDPOINT:
        raise NoSuchResource("There is no such endpoint.")
    return resources.endpoint(service.ENDPOINT, wado_url=f"{_base(request).removesuffix('/fhir')}/dicom-web")


def _reference(request: Request, kind: str) -> str:
    value = request.query_params.get(kind.lower(), "").removeprefix(f"{kind}/")
    if not value:
        raise SearchTooWide(f"Name the {kind.lower()} to search for.")
    return value


def _count(request: Request) -> int:
    text = request.query_params.get("_count", "50")
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise SearchTooWide("_count is a whole number.")
    return max(1, min(int(text), MAX_PAGE))


def _bundle(request: Request, found: list[Any]) -> Any:
    query = urlencode(list(request.query_params.multi_items()))
    address = f"{_base(request)}{request.scope['path'].rpartition('/fhir')[2]}"
    return resources.search_bundle(
        found,
        base_url=_base(request),
        self_url=f"{address}?{query}" if query else address,
        total=len(found) if len(found) < _count(request) else None,  # a full page does not know
    )


def _held(request: Request) -> archive.Store:
    store = request.app.state.store
    assert isinstance(store, archive.Store)
    return store


def _base(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}/fhir"


def _json(body: Any, status: int = 200) -> Response:
    return JSONResponse(body, status_code=status, media_type=MEDIA_TYPE)
