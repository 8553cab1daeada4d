"""From a signed report and its findings to the values that the standard objects are built from."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from sightline.care.reporting import _documents as documents
from sightline.care.reporting._model import Report, ReportNotHeld
from sightline.kernel.codes import LEFT_LUNG, LUNG, LUNG_NODULE, RIGHT_LUNG
from sightline.kernel.dates import parse_date
from sightline.kernel.names import display_name
from sightline.record import archive, findings, timeline
from sightline.runtime.blobs import Blobs
from sightline.runtime.db import Db

SITES = {"R": RIGHT_LUNG, "L": LEFT_LUNG}


def signed_report(db: Db, report: Report) -> documents.SignedReport:
    """Return the words of a signed report and who answers for them."""
    if report.signed_at is None or report.signed_by_name is None:
        raise ReportNotHeld("The report is not signed yet; sign it first.")
    study = archive.get_study(db, report.study_uid)
    comparison = timeline.comparison_of(db, report.study_uid)
    prior = archive.get_study(db, comparison.prior_uid) if comparison else None
    return documents.SignedReport(
        report_id=report.id,
        version=report.version,
        title=timeline.exam_of(study),
        sections=tuple((s.name, tuple(x.text for x in s.sentences)) for s in report.sections),
        signed_by=report.signed_by_name,
        signed_at=report.signed_at,
        organisation="Sightline",
        prior_study_uid=prior.uid if prior else None,
        prior_study_date=parse_date(prior.date) if prior else None,
        simulated=study.simulated,
    )


def reported_lesions(
    db: Db, report: Report, masks: Mapping[str, tuple[npt.NDArray[np.bool_], tuple[int, int, int]]]
) -> list[documents.ReportedLesion]:
    """Return the findings that stand in a report, with what became of them since the prior."""
    comparison = timeline.comparison_of(db, report.study_uid)
    changes = {c.current: c for c in comparison.changes} if comparison else {}
    counting = [f for f in findings.of_studies(db, report.study_uid) if f.counts]
    return [_lesion(db, f, changes.get(f.id), masks.get(f.id)) for f in counting]


def _lesion(
    db: Db,
    finding: findings.Finding,
    change: timeline.Change | None,
    mask: tuple[npt.NDArray[np.bool_], tuple[int, int, int]] | None,
) -> documents.ReportedLesion:
    long_axis = findings.get_outline(db, finding.id).get("long_axis")
    source = finding.source
    in_lung = finding.kind == "lung-nodule"  # what a person measured lies anywhere, and nothing says where
    by_model = source.kind is findings.SourceKind.MODEL
    return documents.ReportedLesion(
        number=finding.number,
        label=finding.label,
        tracking_uid=finding.lesion,
        site=SITES.get(finding.laterality or "", LUNG) if in_lung else None,
        volume=finding.values.get("volume"),
        long_axis=finding.values.get("long_axis"),
        short_axis=finding.values.get("short_axis"),
        long_axis_lps_mm=_axis(long_axis),
        mask=mask[0] if mask else None,
        offset_zyx=mask[1] if mask else (0, 0, 0),
        change=change.text if change else None,
        change_code=documents.CHANGE_CODES.get(change.kind) if change else None,
        algorithm=(source.name, source.version) if by_model else None,
        decision="edited" if finding.state is findings.State.EDITED else "accepted",
        finding=LUNG_NODULE if in_lung else documents.LESION,
    )


def _axis(points: Sequence[Sequence[float]] | None) -> Any:
    return tuple(tuple(float(v) for v in point) for point in points) if points else None


def load_masks(
    blobs: Blobs, held: Sequence[findings.Finding]
) -> dict[str, tuple[npt.NDArray[np.bool_], tuple[int, int, int]]]:
    """Return the masks of findings, by finding id, with the place of their boxes."""
    masks = {}
    for finding in held:
        if finding.mask_key:
            with np.load(io.BytesIO(blobs.get(finding.mask_key)), allow_pickle=False) as file:
                z, y, x = (int(v) for v in file["offset_zyx"])
                masks[finding.id] = (np.asarray(file["mask"], dtype=bool), (z, y, x))
    return masks


def render_page(db: Db, report: Report) -> str:
    """Return a signed report as one HTML document."""
    study = archive.get_study(db, report.study_uid)
    about = documents.ReportedStudy(
        patient_name=display_name(study.name),
        patient_id=study.patient_id,
        birth_date=parse_date(study.birth_date),
        sex=study.sex,
        study_uid=study.uid,
        study_date=parse_date(study.date),
        exam=timeline.exam_of(study),
        accession=study.accession,
        referrer=display_name(study.referring) if study.referring else "",
    )
    return documents.render_report_html(
        signed_report(db, report), reported_lesions(db, report, {}), study=about
    )
