"""What the head of a report's page says of patient and study."""

from dataclasses import dataclass
from datetime import date

from pydicom.dataset import Dataset
from pydicom.valuerep import DA

from sightline.kernel.names import display_name
from sightline.record.derived import read_headers


@dataclass(frozen=True, slots=True)
class ReportedStudy:
    """Whose and which study a page is about; names as people write them, `sex` as DICOM does (M, F, O)."""

    patient_name: str
    patient_id: str
    birth_date: date | None
    sex: str
    study_uid: str
    study_date: date | None
    exam: str
    accession: str
    referrer: str


def read_study(ds: Dataset) -> ReportedStudy:
    """Return what the head of a report's page shows, from the header of any instance of the study."""
    header = read_headers([ds])[0]
    referrer = str(header.ReferringPhysicianName)
    return ReportedStudy(
        patient_name=display_name(str(header.PatientName)),
        patient_id=str(header.PatientID or ""),
        birth_date=_date(header.PatientBirthDate),
        sex=str(header.PatientSex or ""),
        study_uid=str(header.StudyInstanceUID),
        study_date=_date(header.StudyDate),
        exam=str(header.get("StudyDescription") or header.get("Modality") or ""),
        accession=str(header.AccessionNumber or ""),
        referrer=display_name(referrer) if referrer else "",
    )


def _date(value: str) -> date | None:
    if not value:
        return None
    parsed = DA(value)
    return date(parsed.year, parsed.month, parsed.day)
