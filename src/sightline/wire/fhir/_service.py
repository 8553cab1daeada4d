"""From the record to the resources that are given out: one view each, permission first."""

from datetime import UTC, date, datetime

from sightline.care import reporting
from sightline.kernel.dates import parse_date
from sightline.record import archive, findings, timeline
from sightline.runtime.db import Db
from sightline.trust import access, audit
from sightline.wire.fhir import _views as views

audit.declare("fhir.read", "A FHIR resource was read")

ENDPOINT = "dicomweb"


def patient_view(db: Db, patient_id: str, *, by: access.Person) -> views.PatientView:
    """Return a patient by the opaque id."""
    access.require(by, "patient.read", on=patient_id)
    audit.record_read(by, "fhir.read", on=patient_id)
    held = archive.get_patient(db, patient_id)
    simulated = any(study.simulated for study in archive.studies_of_patient(db, patient_id))
    return views.PatientView(
        id=held.id,
        patient_id=held.patient_id,
        name=held.name,
        sex=held.sex,
        birth_date=parse_date(held.birth_date),
        issuer=held.issuer or None,
        simulated=simulated,
    )


def study_view(db: Db, study_uid: str, *, by: access.Person) -> views.StudyView:
    """Return a study with its series."""
    access.require(by, "archive.read", on=study_uid)
    audit.record_read(by, "fhir.read", on=study_uid)
    study = archive.get_study(db, study_uid)
    series = archive.series_of_study(db, study_uid)
    return views.StudyView(
        id=study_id(study_uid),
        study_uid=study_uid,
        patient=study.patient,
        modalities=study.modalities,
        started=parse_date(study.date),
        accession=study.accession,
        description=study.description,
        referrer=study.referring,
        endpoint_id=ENDPOINT,
        series=tuple(
            views.SeriesView(s.uid, s.modality, s.number, s.description, s.instance_count) for s in series
        ),
        simulated=study.simulated,
    )


def study_id(study_uid: str) -> str:
    """Return the logical id of a study; a UID has the characters and length that FHIR allows (R4 id)."""
    return study_uid


def report_view(
    held: archive.Store, db: Db, report: reporting.Report, *, by: access.Person
) -> views.ReportView:
    """Return a report with its findings and rendered page."""
    access.require(by, "report.read", on=report.study_uid)
    audit.record_read(by, "fhir.read", on=report.id)
    study = archive.get_study(db, report.study_uid)
    signed = reporting.signed_report(db, report)
    lesions = reporting.reported_lesions(db, report, {})
    page = reporting.render_page(db, report).encode()
    effective = _effective(study)
    comparison = timeline.comparison_of(db, report.study_uid)
    impression = [
        s.text for section in report.sections if section.name == "Impression" for s in section.sentences
    ]
    by_lesion = {f.lesion: f for f in findings.of_studies(db, report.study_uid) if f.counts}
    forms = [views.FormView("text/html", page, signed.title)]
    pdf = next((o for o in report.objects if o.kind == "PDF"), None)
    if pdf:
        forms.append(_pdf_form(held, db, pdf.uid, signed.title))
    return views.ReportView(
        id=report.id,
        report_id=report.id,
        version=report.version,
        status="final",
        patient=study.patient,
        study=study_id(study.uid),
        study_uid=study.uid,
        effective=effective,
        issued=signed.signed_at,
        organisation=signed.organisation,
        title=signed.title,
        sections=signed.sections,
        signed_by=signed.signed_by,
        accession=study.accession,
        conclusion=" ".join(impression),
        observations=tuple(
            views.ObservationView(
                id=by_lesion[lesion.tracking_uid].id,
                patient=study.patient,
                study=study_id(study.uid),
                number=lesion.number,
                label=lesion.label,
                tracking_uid=lesion.tracking_uid,
                finding=lesion.finding,
                site=lesion.site,
                effective=effective,
                issued=signed.signed_at,
                laterality=lesion.laterality,
                volume=lesion.volume,
                long_axis=lesion.long_axis,
                short_axis=lesion.short_axis,
                change=lesion.change,
                change_code=lesion.change_code,
                algorithm=lesion.algorithm,
                reader=signed.signed_by,
                accession=study.accession,
                simulated=study.simulated,
            )
            for lesion in lesions
        ),
        prior_study=study_id(comparison.prior_uid) if comparison else None,
        forms=tuple(forms),
        simulated=study.simulated,
    )


def _pdf_form(held: archive.Store, db: Db, sop_uid: str, title: str) -> views.FormView:
    ds = archive.read_dataset(held, db, sop_uid)
    length = ds.get("EncapsulatedDocumentLength", len(ds.EncapsulatedDocument))
    return views.FormView("application/pdf", bytes(ds.EncapsulatedDocument)[:length], title)


def _effective(study: archive.Study) -> datetime | date:
    return parse_date(study.date) or study.first_received.astimezone(UTC)
