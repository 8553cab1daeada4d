"""What the pages of a study and of a patient show alike."""

from pydantic import BaseModel

from sightline.kernel.dates import age_years, iso_date
from sightline.kernel.names import display_name
from sightline.kernel.quantities import Quantity
from sightline.record import archive, timeline


class PatientView(BaseModel):
    """Who the study is of; `id` is opaque."""

    id: str
    name: str
    patient_id: str
    sex: str
    birth_date: str
    age_years: int | None


class QuantityView(BaseModel):
    """A measured value with unit, 95 % interval and method."""

    value: float
    unit: str
    low: float | None
    high: float | None
    method: str


class Visit(BaseModel):
    """A study on the patient's line."""

    study_uid: str
    date: str
    exam: str
    modality: str


def patient_view(study: archive.Study) -> PatientView:
    """Return whom a study is of, as old as they were then."""
    return PatientView(
        id=study.patient,
        name=display_name(study.name),
        patient_id=study.patient_id,
        sex=study.sex,
        birth_date=iso_date(study.birth_date),
        age_years=age_years(study.birth_date, study.date),
    )


def quantity_view(quantity: Quantity) -> QuantityView:
    """Return a measured value as a page shows it."""
    return QuantityView(
        value=quantity.value, unit=quantity.unit, low=quantity.low, high=quantity.high, method=quantity.method
    )


def visit_of(study: archive.Study) -> Visit:
    """Return a study as a mark on the patient's line."""
    return Visit(
        study_uid=study.uid,
        date=iso_date(study.date),
        exam=timeline.exam_of(study),
        modality=timeline.image_modality(study),
    )
