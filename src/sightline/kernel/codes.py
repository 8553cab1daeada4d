"""Coded concepts: a value, the scheme it comes from and its meaning (PS3.3 8.8)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """One concept; `scheme` is a DICOM coding scheme designator such as ``SCT``, ``DCM``, ``UCUM``."""

    value: str
    scheme: str
    meaning: str


LUNG = Code("39607008", "SCT", "Lung")
LEFT_LUNG = Code("44029006", "SCT", "Left lung")
RIGHT_LUNG = Code("3341006", "SCT", "Right lung")
LUNG_NODULE = Code("427359005", "SCT", "Solitary nodule of lung")
