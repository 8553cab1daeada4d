"""HTTP face of reporting."""

from datetime import datetime
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from sightline.care import reporting
from sightline.runtime.http import Snapshot, Tx
from sightline.trust import audit
from sightline.trust.identity import Caller

router = APIRouter(prefix="/studies/{study_uid}/report", tags=["reporting"])


class BasisView(BaseModel):
    """What a sentence rests on."""

    kind: str
    id: str
    text: str


class SentenceView(BaseModel):
    """One sentence; `edited` when a person changed or wrote it."""

    id: str
    text: str
    edited: bool
    sources: list[BasisView]


class SectionView(BaseModel):
    """A heading and its sentences."""

    name: str
    sentences: list[SentenceView]


class BasedOn(BaseModel):
    """How many findings stand behind the report."""

    accepted: int
    proposed: int
    rejected: int


class CheckView(BaseModel):
    """What a check found."""

    id: str
    severity: Literal["error", "warning", "note"]
    message: str
    sentence_id: str | None


class ObjectView(BaseModel):
    """A standard object that the signed report became."""

    kind: Literal["SR", "SEG", "PDF", "FHIR"]
    uid: str | None
    url: str
    label: str


class ReportView(BaseModel):
    """The report of a study; `digest` is of its words: give it back to say what was seen."""

    id: str
    study_uid: str
    state: Literal["draft", "signed"]
    version: int
    digest: str
    sections: list[SectionView]
    based_on: BasedOn
    checks: list[CheckView]
    passed: int
    signed_by: str | None
    signed_at: datetime | None
    objects: list[ObjectView]
    objects_state: str


class WrittenSentence(BaseModel):
    """One sentence as a person sends it; no id means that it is new."""

    id: str | None = Field(default=None, max_length=128)
    text: str = Field(max_length=4000)


class WrittenSection(BaseModel):
    """A section as a person sends it."""

    name: str
    sentences: list[WrittenSentence] = Field(max_length=200)


class ReportBody(BaseModel):
    """What a person wrote, and version and digest of the report they saw."""

    version: int
    digest: str | None = Field(default=None, max_length=64)
    sections: list[WrittenSection] = Field(max_length=20)


class SignatureBody(BaseModel):
    """Version and digest of the report that is signed, as it was seen."""

    version: int
    digest: str | None = Field(default=None, max_length=64)


@router.get("")
def open_report(study_uid: str, caller: Caller, db: Snapshot) -> ReportView:
    """Return the report of a study, drafted from what is accepted by now."""
    audit.record_read(caller, "report.open", on=study_uid)
    return _view(reporting.open_report(db, study_uid, by=caller))


@router.put("")
def edit_report(study_uid: str, body: ReportBody, caller: Caller, db: Tx) -> ReportView:
    """Keep what a person wrote."""
    written = [(s.name, [reporting.Written(x.text, x.id) for x in s.sentences]) for s in body.sections]
    return _view(reporting.edit_report(db, study_uid, body.version, written, by=caller, digest=body.digest))


@router.post("/signature")
def sign_report(study_uid: str, body: SignatureBody, caller: Caller, db: Tx) -> ReportView:
    """Sign the report; its standard objects are then written by a job."""
    return _view(reporting.sign_report(db, study_uid, body.version, by=caller, digest=body.digest))


def _view(draft: reporting.Draft) -> ReportView:
    report = draft.report
    return ReportView(
        id=report.id,
        study_uid=report.study_uid,
        state=report.state.value,
        version=report.version,
        digest=report.digest,
        sections=[
            SectionView(
                name=section.name,
                sentences=[
                    SentenceView(
                        id=s.id,
                        text=s.text,
                        edited=s.edited,
                        sources=[BasisView(kind=b.kind, id=b.id, text=b.text) for b in s.sources],
                    )
                    for s in section.sentences
                ],
            )
            for section in report.sections
        ],
        based_on=BasedOn(accepted=draft.accepted, proposed=draft.proposed, rejected=draft.rejected),
        checks=[
            CheckView(id=c.id, severity=c.severity, message=c.message, sentence_id=c.sentence_id)
            for c in draft.checks
        ],
        passed=draft.passed,
        signed_by=report.signed_by_name,
        signed_at=report.signed_at,
        objects=_objects(report),
        objects_state=report.objects_state,
    )


def _objects(report: reporting.Report) -> list[ObjectView]:
    if report.state is not reporting.ReportState.SIGNED:
        return []
    address = f"/dicom-web/studies/{report.study_uid}"
    held = [
        ObjectView(
            kind=item.kind,
            uid=item.uid,
            label=item.label,
            url=f"{address}/series/{item.series_uid}/instances/{item.uid}",
        )
        for item in report.objects
    ]
    fhir = ObjectView(
        kind="FHIR", uid=None, label="DiagnosticReport (FHIR R4)", url=f"/fhir/DiagnosticReport/{report.id}"
    )
    return [*held, fhir]
