"""A small made-up series, its lesions and the report that was signed over it."""

from datetime import UTC, date, datetime

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset

from sightline.care.reporting import _documents as documents
from sightline.kernel.codes import LEFT_LUNG, LUNG_NODULE, RIGHT_LUNG, Code
from sightline.kernel.quantities import Quantity


def make_slices(count: int = 10, **attributes: object) -> list[Dataset]:
    """The pydicom sample CT, repeated at 5 mm as one series of its own study."""
    slices = []
    for number in range(1, count + 1):
        ds = pydicom.dcmread(get_testdata_file("CT_small.dcm"))
        ds.StudyInstanceUID, ds.SeriesInstanceUID = "1.2.826.1", "1.2.826.1.1"
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"1.2.826.1.1.{number}"
        ds.InstanceNumber = number
        ds.ImagePositionPatient = [-40, -40, -100 + 5 * number]
        ds.StudyDescription, ds.PatientWeight = "CT chest", 70
        for keyword, value in attributes.items():
            setattr(ds, keyword, value)
        slices.append(ds)
    return slices


def ball(shape, centre, radius):
    z, y, x = np.ogrid[: shape[0], : shape[1], : shape[2]]
    return (z - centre[0]) ** 2 * 4 + (y - centre[1]) ** 2 + (x - centre[2]) ** 2 <= radius**2


@pytest.fixture
def slices() -> list[Dataset]:
    return make_slices()


@pytest.fixture
def grown() -> documents.ReportedLesion:
    """Proposed by a model and accepted; its mask spans the whole stack."""
    return documents.ReportedLesion(
        number=1,
        label="right lung, upper third, nodule",
        tracking_uid="2.25.101",
        site=RIGHT_LUNG,
        laterality=Code("24028007", "SCT", "Right"),
        finding=LUNG_NODULE,
        volume=Quantity(416.2, "mm3", "partial volume over a dilated mask", 364.1, 480.3),
        long_axis=Quantity(10.1, "mm", "largest in-plane caliper", 9.3, 10.9),
        short_axis=Quantity(8.2, "mm", "perpendicular to the long axis", 7.4, 9.0),
        long_axis_lps_mm=((-20.0, -10.0, -80.0), (-12.0, -4.0, -80.0)),
        mask=ball((10, 128, 128), (3, 40, 50), 6),
        change="grown 74 % (43 to 105 %) since 3 May 2026",
        change_code=documents.CHANGE_CODES["grown"],
        algorithm=("chest-ct-nodules", "1.0.0"),
    )


@pytest.fixture
def edited() -> documents.ReportedLesion:
    """A person replaced the model's numbers; its mask is a box, and overlaps nothing."""
    return documents.ReportedLesion(
        number=2,
        label="left lung, lower third, nodule",
        tracking_uid="2.25.102",
        site=LEFT_LUNG,
        volume=Quantity(88.0, "mm3", "typed by the reader"),
        mask=ball((3, 11, 11), (1, 5, 5), 4),
        offset_zyx=(5, 80, 80),
        change="stable",
        change_code=documents.CHANGE_CODES["stable"],
        algorithm=("chest-ct-nodules", "1.0.0"),
        decision="edited",
    )


@pytest.fixture
def drawn() -> documents.ReportedLesion:
    """Marked by a person with a caliper; there is no mask."""
    return documents.ReportedLesion(
        number=3,
        label="right lung, middle third, nodule",
        tracking_uid="2.25.103",
        site=RIGHT_LUNG,
        long_axis=Quantity(4.5, "mm", "caliper", 3.9, 5.5),
        long_axis_lps_mm=((1.0, 2.0, -80.0), (5.0, 4.0, -80.0)),
    )


@pytest.fixture
def lesions(grown, edited, drawn) -> list[documents.ReportedLesion]:
    return [grown, edited, drawn]


@pytest.fixture
def report() -> documents.SignedReport:
    return documents.SignedReport(
        report_id="r-1",
        version=3,
        title="CT chest report",
        sections=(
            ("Findings", ("Nodule 1 has grown.", "No pleural effusion.")),
            ("Impression", ("Growing nodule in the right lung.",)),
        ),
        signed_by="Dr Ada Adams",
        signed_at=datetime(2026, 11, 24, 10, 30, tzinfo=UTC),
        organisation="North Hospital, Radiology",
        prior_study_uid="1.2.826.0",
        prior_study_date=date(2026, 5, 3),
    )
