"""The job that turns a signed report into standard objects in the archive."""

from collections import Counter
from dataclasses import replace
from typing import Any

from sightline.care.reporting import _documents as documents
from sightline.care.reporting import _store as store
from sightline.care.reporting._model import Report, ReportNotHeld, ReportObject
from sightline.care.reporting._rendering import load_masks, reported_lesions, signed_report
from sightline.care.reporting._service import record_objects
from sightline.record import archive, findings, timeline
from sightline.runtime import events, jobs
from sightline.trust import access


@jobs.job("write-report-objects")
def write_report_objects(run: jobs.Run, subject: str, **_: Any) -> None:
    """Store SEG, SR and PDF of a signed report; the same report gives the same objects."""
    run.step("write", lambda: _write_or_tell(run.resource("store"), subject))


events.listen("ReportSigned", write_report_objects)


@jobs.job("report-follows-patient")
def follow(run: jobs.Run, subject: str, patient: str, **_: Any) -> None:
    """Give the report of a study that was moved or merged to its patient."""

    def work() -> None:
        with run.database.transaction() as db:
            store.follow_patient(db, subject, patient)

    run.step("follow", work)


events.listen("StudyCorrected", follow)


OURS = archive.Source("internal", "reporting", access.SYSTEM)


def _write_or_tell(held: archive.Store, study_uid: str) -> None:
    try:
        _write(held, study_uid)
    except Exception:
        with held.database.transaction() as db:
            record_objects(db, study_uid, (), "failed", by=access.SYSTEM)
        raise


def _write(held: archive.Store, study_uid: str) -> None:
    with held.database.reading() as db:
        report = store.of_study(db, study_uid)
        if report is None:
            raise ReportNotHeld("There is no such report.")
        reported = signed_report(db, report)
        counting = [f for f in findings.of_studies(db, study_uid) if f.counts]
        series = _series_of(report, counting, archive.series_of_study(db, study_uid))
        # A mask lies on the grid of its own series; the segmentation is of one.
        masks = load_masks(held.blobs, [f for f in counting if f.series_uid == series])
        lesions = reported_lesions(db, report, masks)
        source = archive.read_datasets(held, db, series, pixels=False)
    written = _build(source, lesions, reported)
    objects = []
    for kind, ds, label in written:
        archive.store_dataset(held, ds, source=OURS)
        objects.append(ReportObject(kind, str(ds.SOPInstanceUID), str(ds.SeriesInstanceUID), label))
    with held.database.transaction() as db:
        record_objects(db, study_uid, objects, "stored", by=access.SYSTEM)


def _build(
    source: list[Any], lesions: list[documents.ReportedLesion], report: documents.SignedReport
) -> list[tuple[str, Any, str]]:
    segmentation = None
    if any(lesion.segmented for lesion in lesions):
        try:
            segmentation = documents.build_segmentation(source, lesions, report)
        except documents.MaskOutsideImages:
            # A tilted stack was resampled before it was measured: its masks lie on no source image.
            lesions = [replace(lesion, mask=None) for lesion in lesions]
    structured = documents.build_measurement_report(source, lesions, segmentation, report)
    page = documents.render_report_html(report, lesions, study=documents.read_study(source[0]))
    pdf = documents.build_encapsulated_pdf(source, documents.render_report_pdf(page), report)
    objects = [("SR", structured, "Measurements (TID 1500)"), ("PDF", pdf, "Report (PDF)")]
    return [*objects, ("SEG", segmentation, "Segmentation")] if segmentation is not None else objects


def _series_of(report: Report, counting: list[findings.Finding], series: list[archive.Series]) -> str:
    """Return the series that most of the findings lie in; without findings, the largest image series."""
    if counting:
        return Counter(finding.series_uid for finding in counting).most_common(1)[0][0]
    images = [s for s in series if s.frame_count and s.modality not in timeline.DERIVED_MODALITIES]
    if not images:
        raise ReportNotHeld(f"Study of report {report.id} has no images to refer to.")
    return max(images, key=lambda s: s.frame_count).uid
