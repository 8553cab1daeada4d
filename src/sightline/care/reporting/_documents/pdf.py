"""The page as a tagged PDF, and the PDF as a DICOM object."""

import hashlib
from collections.abc import Sequence

import highdicom as hd
from pydicom.dataset import Dataset
from pydicom.uid import EncapsulatedPDFStorage, ExplicitVRLittleEndian
from pydicom.valuerep import DT

from sightline.care.reporting._documents._model import ReportReachesOutside, SignedReport, object_uids
from sightline.record import derived
from sightline.record.derived import MANUFACTURER, SIMULATED, short_text

SERIES_NUMBER = 902


def render_report_pdf(html: str) -> bytes:
    """Return the page as PDF/UA-1 (ISO 14289-1): tagged, titled, fonts inside.

    Nothing is fetched: neither from the network nor from a file. The same page gives the same bytes.

    Raises
    ------
    ReportReachesOutside
        If the page refers to an image, style sheet or font outside itself.
    """
    from weasyprint import HTML
    from weasyprint.urls import FatalURLFetchingError, URLFetcher

    class RefuseAll(URLFetcher):
        def fetch(self, url: str, headers: object = None) -> None:
            raise FatalURLFetchingError("nothing outside the page is read")

    identifier = hashlib.sha256(html.encode()).digest()[:16]
    try:
        page = HTML(string=html, url_fetcher=RefuseAll())  # type: ignore[no-untyped-call]
        written = page.write_pdf(pdf_variant="pdf/ua-1", pdf_identifier=identifier)  # type: ignore[no-untyped-call]
    except FatalURLFetchingError as refused:
        raise ReportReachesOutside(
            "The report's page refers to something outside itself; take the reference out."
        ) from refused
    return bytes(written)


def build_encapsulated_pdf(source: Sequence[Dataset], pdf: bytes, report: SignedReport) -> hd.SOPClass:
    """Return the PDF as an Encapsulated PDF object of the same study.

    Parameters
    ----------
    source : headers of the instances that the report was written from
        Patient and study are copied from the first; all are named as sources.
    pdf : what `render_report_pdf` returned
    report : the signed report

    References
    ----------
    PS3.3 A.45.1 (Encapsulated PDF IOD), C.24.1 (series), C.24.2 (document), C.8.6.1 (SC equipment).
    """
    headers = derived.read_headers(source, named=False)
    ds = _empty_document(headers[0], report)
    ds.copy_patient_and_study_information(headers[0])
    ds.ConversionType = "WSD"
    _add_document(ds, pdf, report)
    ds.AcquisitionDateTime = DT(report.signed_at)
    ds.SourceInstanceSequence = [_reference(header) for header in headers]
    derived.stamp(ds, headers[0], report.signed_at)
    ds.PatientName = derived.patient_name(source[0])
    return ds


def _empty_document(header: Dataset, report: SignedReport) -> hd.SOPClass:
    """Return an object of the study with series and equipment, and no document in it yet."""
    series_uid, instance_uid = object_uids(str(header.StudyInstanceUID), report, "PDF")
    signed = derived.local_time(header, report.signed_at)
    return hd.SOPClass(
        study_instance_uid=header.StudyInstanceUID,
        series_instance_uid=series_uid,
        series_number=SERIES_NUMBER,
        sop_instance_uid=instance_uid,
        sop_class_uid=EncapsulatedPDFStorage,
        instance_number=report.version,
        modality="DOC",
        manufacturer=MANUFACTURER,
        manufacturer_model_name=MANUFACTURER,
        software_versions=derived.software_version(),
        device_serial_number=derived.device_uid(),
        institution_name=short_text(report.organisation),
        transfer_syntax_uid=ExplicitVRLittleEndian,
        patient_id=header.PatientID,
        patient_birth_date=header.PatientBirthDate,
        patient_sex=header.PatientSex,
        accession_number=header.AccessionNumber,
        study_id=header.StudyID,
        study_date=header.StudyDate,
        study_time=header.StudyTime,
        referring_physician_name=header.ReferringPhysicianName,
        series_description=derived.series_description("Report", simulated=report.simulated),
        content_date=signed.date(),
        content_time=signed.time(),
        specific_character_set=derived.CHARACTER_SET,
    )


def _add_document(ds: Dataset, pdf: bytes, report: SignedReport) -> None:
    ds.BurnedInAnnotation = "YES"  # the page names the patient
    title = f"{SIMULATED} {report.title}" if report.simulated else report.title
    ds.DocumentTitle = short_text(title, limit=1024)
    ds.ConceptNameCodeSequence = [_code("18748-4", "LN", "Diagnostic Imaging Report")]
    ds.VerificationFlag = "VERIFIED"
    ds.MIMETypeOfEncapsulatedDocument = "application/pdf"
    ds.EncapsulatedDocumentLength = len(pdf)
    ds.EncapsulatedDocument = pdf + b"\0" * (len(pdf) % 2)


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def _reference(header: Dataset) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = header.SOPClassUID, header.SOPInstanceUID
    return item
