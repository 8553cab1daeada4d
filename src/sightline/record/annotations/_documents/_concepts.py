"""The codes of what is measured: one table, used to write and to read.

Names of measurements: PS3.16 CID 7469, 7464. Statistics of pixels are one quantity with a derivation
(TID 300, row 6). Codes of scheme ``99SIGHTLINE`` are our own, where the standard has none.
"""

from typing import Final

from highdicom.sr import CodedConcept
from pydicom import Dataset

from sightline.record.annotations._measuring import METHODS

OURS = "99SIGHTLINE"
# What other viewers take a group of ours for: the tool that drew it (Cornerstone3D's adapters).
TOOL = "Cornerstone3DTools@^0.1.0"
TOOLS: Final = {
    "length": "Length",
    "calibrated-length": "Length",
    "bidirectional": "Bidirectional",
    "angle": "Angle",
    "cobb": "CobbAngle",
    "ellipse": "EllipticalROI",
    "rectangle": "RectangleROI",
    "freehand": "PlanarFreehandROI",
    "spline": "SplineROI",
    "probe": "Probe",
    "arrow": "ArrowAnnotate",
    "text": "ArrowAnnotate",
}
FREE_TEXT = ("CORNERSTONEFREETEXT", "CORNERSTONEJS")

KIND = CodedConcept("kind", OURS, "Kind of annotation")
CALIBRATION = CodedConcept("calibration", OURS, "Calibration")
COMMENT = ("121106", "DCM")
SERIES = CodedConcept("112002", "DCM", "Series Instance UID")
GROUP, TRACKING_ID, TRACKING_UID = ("125007", "DCM"), ("112039", "DCM"), ("112040", "DCM")
PERSON_NAME, FINDING = ("121008", "DCM"), ("121071", "DCM")
DERIVATION, METHOD, METHOD_SRT = ("121401", "DCM"), ("370129005", "SCT"), ("G-C036", "SRT")
DERIVATIONS: Final = {
    "mean": CodedConcept("373098007", "SCT", "Mean"),
    "sd": CodedConcept("386136009", "SCT", "Standard Deviation"),
    "min": CodedConcept("255605001", "SCT", "Minimum"),
    "max": CodedConcept("56851009", "SCT", "Maximum"),
}
# The meanings are those by which Cornerstone3D's adapters look for them.
SIZES: Final = {
    "length": CodedConcept("410668003", "SCT", "Length"),
    "long_axis": CodedConcept("103339001", "SCT", "Long Axis"),
    "short_axis": CodedConcept("103340004", "SCT", "Short Axis"),
    "angle": CodedConcept("1483009", "SCT", "Angle"),
    "area": CodedConcept("42798000", "SCT", "Area"),
    "perimeter": CodedConcept("131191004", "SCT", "Perimeter"),
}
COBB = CodedConcept("285285000", "SCT", "Cobb angle")
# What a pixel value is, by its unit; anything else is an intensity without one.
QUANTITIES: Final = {
    "[hnsf'U]": CodedConcept("112031", "DCM", "Attenuation Coefficient"),
    "g/ml{SUVbw}": CodedConcept("126401", "DCM", "SUVbw"),
    "Bq/ml": CodedConcept("110821", "DCM", "Nuclear Medicine Tomographic Activity"),
    "1": CodedConcept("intensity", OURS, "Pixel value"),
}
UNITS: Final = {
    "mm": "millimeter",
    "mm2": "square millimeter",
    "deg": "degree",
    "[hnsf'U]": "Hounsfield unit",
    "g/ml{SUVbw}": "standardized uptake value body weight",
    "Bq/ml": "Becquerels/milliliter",
    "1": "no units",
    "px": "pixels",
    "px2": "square pixels",
}
# UCUM has no unit pixel; what stands in braces is an annotation of the unit one.
_AS_UCUM: Final = {"px": "{pixels}", "px2": "{pixels}2"}
_FROM_UCUM: Final = {
    "{pixels}": "px", "{pixel}": "px", "px": "px", "{pixels}2": "px2", "px\xb2": "px2", "px2": "px2",
    "mm\xb2": "mm2", "[hnsf'U]": "[hnsf'U]", "{SUVbw}g/ml": "g/ml{SUVbw}", "{no units}": "1",
}  # fmt: skip

# Value names by code, with the codes that others use for the same.
NAMES: Final = {
    **{(c.value, c.scheme_designator): name for name, c in SIZES.items()},
    **{(c.value, c.scheme_designator): name for name, c in DERIVATIONS.items()},
    ("285285000", "SCT"): "angle",
    ("G-D7FE", "SRT"): "length",
    ("121206", "DCM"): "length",
    ("121227", "DCM"): "length",
    ("G-A185", "SRT"): "long_axis",
    ("G-A186", "SRT"): "short_axis",
    ("131187009", "SCT"): "long_axis",
    ("131188004", "SCT"): "short_axis",
    ("103355008", "SCT"): "short_axis",
    ("110859", "DCM"): "angle",
    ("G-A166", "SRT"): "area",
    ("131184002", "SCT"): "area",
    ("118565006", "SCT"): "volume",
    ("G-D705", "SRT"): "volume",
    ("R-00317", "SRT"): "mean",
    ("G-A437", "SRT"): "max",
    ("R-404FB", "SRT"): "min",
    ("R-10047", "SRT"): "sd",
    ("112181", "DCM"): "mean",
    ("112183", "DCM"): "sd",
    ("112179", "DCM"): "min",
    ("112180", "DCM"): "max",
}
_METHOD_CODES: Final = {words: code for code, words in METHODS.items()}


def unit_concept(unit: str) -> CodedConcept:
    """Return a unit as DICOM codes it."""
    return CodedConcept(_AS_UCUM.get(unit, unit), "UCUM", UNITS.get(unit, unit))


def unit_of(code: str) -> str:
    """Return a unit as we write it."""
    return _FROM_UCUM.get(code, code)


def method_concept(words: str) -> CodedConcept | None:
    """Return the code of one of our methods."""
    code = _METHOD_CODES.get(words)
    return CodedConcept(code, OURS, words[:64]) if code else None


def key_of(item: Dataset | None) -> tuple[str, str]:
    """Return (value, scheme) of a code sequence item; empty texts where it is none."""
    if item is None:
        return "", ""
    value = item.get("CodeValue") or item.get("LongCodeValue") or item.get("URNCodeValue") or ""
    return str(value), str(item.get("CodingSchemeDesignator") or "")


def first(ds: Dataset, keyword: str) -> Dataset | None:
    """Return the first item of a sequence, None where there is none."""
    items = ds.get(keyword)
    return items[0] if items else None


def name_key(item: Dataset) -> tuple[str, str]:
    """Return the code of a content item's concept name."""
    return key_of(first(item, "ConceptNameCodeSequence"))
