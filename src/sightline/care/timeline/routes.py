"""HTTP face of the patient's page."""

from collections import defaultdict
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from sightline.care import reporting, timeline
from sightline.care.reading import PatientView, Visit, patient_view, visit_of
from sightline.kernel.dates import iso_date
from sightline.kernel.quantities import Quantity
from sightline.record import archive, findings
from sightline.record import timeline as line
from sightline.runtime.http import Snapshot, revalidated
from sightline.trust.identity import Caller

router = APIRouter(prefix="/patients/{patient_id}", tags=["timeline"])


class SignedMark(BaseModel):
    """That the report of a study is signed."""

    signed_at: datetime
    signed_by: str
    version: int


class StudyMark(Visit):
    """A study on the patient's page; no report means that none is signed, or that you may not read it."""

    time: str
    regions: list[str]
    images: int
    simulated: bool
    report: SignedMark | None


class LesionPoint(BaseModel):
    """A lesion at one date: every value measured of it, and whose word it is."""

    finding_id: str
    study_uid: str
    date: str
    state: findings.State
    source: str
    by_model: bool
    values: dict[str, Quantity]


class LesionChange(BaseModel):
    """What became of a lesion between two studies; percent is of volume, with its 95 % interval."""

    study_uid: str
    date: str
    prior_uid: str
    days: int
    kind: str
    percent: float | None
    low: float | None
    high: float | None
    text: str
    reason: str


class LesionLine(BaseModel):
    """One lesion through time, oldest first; `label`, `kind` and `state` are those of the newest finding.

    `organ` is the one that kind and label name, `other` where they name none.
    """

    tracking_uid: str
    label: str
    kind: str
    state: findings.State
    organ: str
    regions: list[str]
    modalities: list[str]
    points: list[LesionPoint]
    changes: list[LesionChange]


class PatientTimeline(BaseModel):
    """One patient through time; `reports_shown` is false for whoever may not read reports."""

    patient: PatientView
    simulated: bool
    reports_shown: bool
    studies: list[StudyMark]
    lesions: list[LesionLine]


@router.get("/timeline", response_model=PatientTimeline)
def get_timeline(patient_id: str, request: Request, caller: Caller, db: Snapshot) -> Response:
    """Return one patient through time: studies with signed reports, lesions with values and changes."""
    return revalidated(request, _view(timeline.course_of(db, patient_id, by=caller)))


def _view(course: timeline.Course) -> PatientTimeline:
    """Return the page; plain values are checked at one go, which for ten thousand points is seconds less."""
    return PatientTimeline.model_validate(
        {
            "patient": patient_view(course.studies[-1]),
            "simulated": any(study.simulated for study in course.studies),
            "reports_shown": course.reports is not None,
            "studies": [_study(study, (course.reports or {}).get(study.uid)) for study in course.studies],
            "lesions": _lesions(course),
        }
    )


def _study(study: archive.Study, report: reporting.Report | None) -> StudyMark:
    return StudyMark(
        **visit_of(study).model_dump(),
        time=study.time,
        regions=sorted(line.regions_of(study.description, study.body_part)),
        images=study.image_count,
        simulated=study.simulated,
        report=_signed(report),
    )


def _signed(report: reporting.Report | None) -> SignedMark | None:
    if report is None or report.signed_at is None:
        return None
    return SignedMark(
        signed_at=report.signed_at, signed_by=report.signed_by_name or "", version=report.version
    )


def _lesions(course: timeline.Course) -> list[dict[str, Any]]:
    studies = {study.uid: study for study in course.studies}
    order = {uid: k for k, uid in enumerate(studies)}
    dates = {uid: iso_date(study.date) for uid, study in studies.items()}
    lines: dict[str, list[findings.Sighting]] = defaultdict(list)
    for sighting in course.sightings:
        if sighting.study_uid in studies:
            lines[sighting.lesion].append(sighting)
    changes = _changes(course, dates)
    for seen in lines.values():
        seen.sort(key=lambda s: order[s.study_uid])
    return [_lesion(uid, seen, studies, dates, changes) for uid, seen in lines.items()]


def _lesion(
    uid: str,
    seen: list[findings.Sighting],
    studies: dict[str, archive.Study],
    dates: dict[str, str],
    changes: dict[str, list[LesionChange]],
) -> dict[str, Any]:
    newest, seen_in = seen[-1], [studies[s.study_uid] for s in seen]
    told = [change for s in seen for change in changes.get(s.id, ())]
    return {
        "tracking_uid": uid,
        "label": newest.label,
        "kind": newest.kind,
        "state": newest.state,
        "organ": timeline.lesion_organ(newest.kind, newest.label),
        "regions": sorted(timeline.lesion_regions(newest.label, seen_in)),
        "modalities": sorted({line.image_modality(study) for study in seen_in}),
        "points": [_point(s, dates[s.study_uid]) for s in seen],
        "changes": sorted(told, key=lambda change: change.date),
    }


def _point(sighting: findings.Sighting, date: str) -> dict[str, Any]:
    return {
        "finding_id": sighting.id,
        "study_uid": sighting.study_uid,
        "date": date,
        "state": sighting.state,
        "source": sighting.source,
        "by_model": sighting.source_kind is findings.SourceKind.MODEL,
        "values": sighting.values,
    }


def _changes(course: timeline.Course, dates: dict[str, str]) -> dict[str, list[LesionChange]]:
    """Return what was said of each finding: the newer of a pair, or the older where the lesion is gone."""
    told: dict[str, list[LesionChange]] = defaultdict(list)
    names = ("kind", "percent", "low", "high", "text", "reason")
    for comparison in course.comparisons:
        uid = comparison.study_uid
        if uid not in dates:
            continue
        for change in comparison.changes:
            told[change.current or change.prior or ""].append(
                LesionChange(
                    study_uid=uid,
                    date=dates[uid],
                    prior_uid=comparison.prior_uid,
                    days=comparison.days,
                    **{name: getattr(change, name) for name in names},
                )
            )
    return told
