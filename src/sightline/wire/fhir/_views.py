"""What the FHIR resources are made from: plain frozen values, filled by whoever serves them."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from sightline.kernel.codes import Code
from sightline.kernel.quantities import Quantity

DIAGNOSTIC_IMAGING_STUDY = Code("18748-4", "LN", "Diagnostic imaging study")


@dataclass(frozen=True, slots=True)
class PatientView:
    """`id` is opaque and never the MRN; `name` is a DICOM person name with its written forms."""

    id: str
    patient_id: str
    name: str = ""
    sex: str = ""
    birth_date: date | None = None
    issuer: str | None = None
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class InstanceView:
    """One SOP Instance."""

    uid: str
    sop_class: str
    number: int | None = None


@dataclass(frozen=True, slots=True)
class SeriesView:
    """One series; `instance_count` counts all even where `instances` lists none."""

    uid: str
    modality: str
    number: int | None = None
    description: str = ""
    instance_count: int = 0
    started: datetime | None = None
    body_site: Code | None = None
    instances: tuple[InstanceView, ...] = ()


@dataclass(frozen=True, slots=True)
class StudyView:
    """One study; `endpoint_id` names the Endpoint resource it can be retrieved from."""

    id: str
    study_uid: str
    patient: str
    modalities: tuple[str, ...] = ()
    started: datetime | date | None = None
    accession: str = ""
    description: str = ""
    referrer: str = ""
    endpoint_id: str | None = None
    series: tuple[SeriesView, ...] = ()
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class ObservationView:
    """One lesion at one study; `study` and `patient` are ids of those resources."""

    id: str
    patient: str
    study: str
    number: int
    label: str
    tracking_uid: str
    finding: Code
    site: Code | None
    effective: datetime | date
    issued: datetime
    status: Literal["preliminary", "final"] = "final"
    laterality: Code | None = None
    volume: Quantity | None = None
    long_axis: Quantity | None = None
    short_axis: Quantity | None = None
    change: str | None = None
    change_code: Code | None = None
    algorithm: tuple[str, str] | None = None
    reader: str | None = None
    accession: str = ""
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class FormView:
    """A rendered report; with `url` the bytes are left at that address, hash and size stay."""

    content_type: Literal["text/html", "application/pdf"]
    body: bytes = field(repr=False)
    title: str = ""
    url: str | None = None


@dataclass(frozen=True, slots=True)
class ReportView:
    """One report; `issued` is the moment of signing, for a draft that of its last change."""

    id: str
    report_id: str
    version: int
    status: Literal["preliminary", "final"]
    patient: str
    study: str
    study_uid: str
    effective: datetime | date
    issued: datetime
    organisation: str
    title: str
    sections: tuple[tuple[str, tuple[str, ...]], ...]
    signed_by: str | None = None
    accession: str = ""
    code: Code = DIAGNOSTIC_IMAGING_STUDY
    conclusion: str = ""
    observations: tuple[ObservationView, ...] = ()
    prior_study: str | None = None
    forms: tuple[FormView, ...] = ()
    simulated: bool = False
