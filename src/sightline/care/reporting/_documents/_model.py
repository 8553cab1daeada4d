"""What a signed report says, as frozen values; the UIDs of its objects; the reasons to refuse one."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sightline.kernel.codes import Code
from sightline.kernel.errors import Invalid
from sightline.kernel.quantities import Quantity
from sightline.record.derived import deterministic_uid

Point = tuple[float, float, float]

LESION = Code("52988006", "SCT", "Lesion")
ARTIFICIAL_INTELLIGENCE = Code("123110", "DCM", "Artificial Intelligence")  # CID 7162

# SNOMED CT as used for temporal change outside the breast; a lung list of its own does not exist in PS3.16.
CHANGE_CODES = {
    "new": Code("7147002", "SCT", "New"),
    "grown": Code("35105006", "SCT", "Increased"),
    "stable": Code("58158008", "SCT", "Stable"),
    "shrunk": Code("1250004", "SCT", "Decreased"),
    "vanished": Code("260415000", "SCT", "Not detected"),
}


class NothingToSegment(Invalid):
    """No lesion of the report has a mask with voxels in it; write the report without a segmentation."""


class MaskOutsideImages(Invalid):
    """A mask does not lie on the grid of the source images; give the images that it was drawn on."""


class ReportReachesOutside(Invalid):
    """The page refers to something outside itself; a stored report holds all that it shows."""


@dataclass(frozen=True, slots=True, eq=False)
class ReportedLesion:
    """One finding as it stands in a signed report.

    `number` is its number on the page. `site` is None where nothing says in which part of the body it lies.
    `tracking_uid` is the lesion's identity at all dates and is never made anew. `mask` is bool (z, y, x), the
    whole stack or a box whose first voxel is at `offset_zyx`, on the grid of the volume of the source images.
    `long_axis_lps_mm` is the line that `long_axis` was
    measured on. `algorithm` is (name, version) of what proposed it, None for a lesion that a person marked.
    """

    number: int
    label: str
    tracking_uid: str
    site: Code | None
    laterality: Code | None = None
    volume: Quantity | None = None
    long_axis: Quantity | None = None
    short_axis: Quantity | None = None
    long_axis_lps_mm: tuple[Point, Point] | None = None
    mask: NDArray[np.bool_] | None = None
    offset_zyx: tuple[int, int, int] = (0, 0, 0)
    change: str | None = None
    change_code: Code | None = None
    algorithm: tuple[str, str] | None = None
    decision: Literal["accepted", "edited"] = "accepted"
    finding: Code = LESION
    algorithm_family: Code = ARTIFICIAL_INTELLIGENCE

    @property
    def segmented(self) -> bool:
        """Whether there is any voxel to store."""
        return self.mask is not None and bool(self.mask.any())

    @property
    def origin(self) -> str:
        """Say who proposed it and who answers for it, in one sentence."""
        if self.algorithm is None:
            return "Marked by the reader."
        name, version = self.algorithm
        return f"Proposed by {name} {version}; {self.decision} by the reader."


@dataclass(frozen=True, slots=True)
class SignedReport:
    """The words of a report and who answers for them.

    `sections` are (heading, paragraphs) in reading order; `signed_at` is aware; `signed_by` is a name for
    people (``Dr Ada Adams``) or a DICOM person name (``Adams^Ada``).
    """

    report_id: str
    version: int
    title: str
    sections: tuple[tuple[str, tuple[str, ...]], ...]
    signed_by: str
    signed_at: datetime
    organisation: str
    prior_study_uid: str | None = None
    prior_study_date: date | None = None
    simulated: bool = False

    def __post_init__(self) -> None:
        if self.signed_at.tzinfo is None:
            raise ValueError("signed_at needs a time zone")


def object_uids(study_uid: str, report: SignedReport, kind: str) -> tuple[str, str]:
    """Return (SeriesInstanceUID, SOPInstanceUID): one series a report and kind, one instance a version."""
    key = ("sightline", study_uid, report.report_id, kind)
    return deterministic_uid(*key, "series"), deterministic_uid(*key, "instance", str(report.version))
