"""Measurements as a TID 1500 report: one group a measurement, every number with its outline.

Each number refers to the coordinates it was measured on (TID 1501, TID 320), which is also the only shape
that common viewers open for editing; what has no number stands as a region (TID 1410).
"""

from collections.abc import Mapping, Sequence

import highdicom as hd
import numpy as np
from highdicom.sr import CodedConcept, RelationshipTypeValues
from highdicom.sr import templates as tid
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.sr.codedict import codes

from sightline.record import derived
from sightline.record.annotations import _images as images
from sightline.record.annotations._documents import _authoring as authoring
from sightline.record.annotations._documents import _concepts as concepts
from sightline.record.annotations._documents._authoring import Author
from sightline.record.annotations._model import REGIONS, Measurement, Value
from sightline.record.derived import SIMULATED, plain, short_text

SERIES_NUMBER = 910

Group = tid.PlanarROIMeasurementsAndQualitativeEvaluations | tid.MeasurementsAndQualitativeEvaluations
Coordinates = hd.sr.CoordinatesForMeasurement | hd.sr.CoordinatesForMeasurement3D


def build_measurements(
    measurements: Sequence[Measurement],
    source: Sequence[Dataset],
    author: Author,
    *,
    series_uid: str,
    version: int,
    previous: Dataset | None = None,
) -> hd.sr.Comprehensive3DSR:
    """Return the report of one person's measurements on a study.

    Parameters
    ----------
    measurements : as computed here
        None left is told in words, so that a later version can take an earlier one back.
    source : headers of the images measured on, at least one
        Patient and study are copied from the first.
    previous : the version that this one replaces

    References
    ----------
    PS3.16 TID 1500, 1501, 1410, 300, 320; PS3.3 A.35.13 (IOD), C.18.6 and C.18.9 (coordinates).
    """
    headers = derived.read_headers(source, named=False)
    by_uid = {str(ds.SOPInstanceUID): ds for ds in headers}
    groups = [_group(m, by_uid, author) for m in measurements]
    document = hd.sr.Comprehensive3DSR(
        evidence=headers,
        content=_content(groups, headers[0], author),
        series_number=SERIES_NUMBER,
        series_description=derived.series_description("Measurements", simulated=author.simulated),
        is_complete=True,
        is_verified=False,
        previous_versions=[previous] if previous is not None else None,
        **authoring.common(headers, author, series_uid=series_uid, version=version),
    )
    authoring.finish(document, source[0], headers[0], author)
    return document


def _content(groups: Sequence[Group], header: Dataset, author: Author) -> Dataset:
    context, procedure = authoring.observers(author), procedure_of(header)
    root = derived.measurement_report(groups, context, procedure, nothing="No measurement is left.")
    if author.simulated:
        root.ContentSequence.append(_text(codes.DCM.Comment, f"{SIMULATED} data, not a patient."))
    return root


def procedure_of(header: Dataset) -> CodedConcept:
    """Return the procedure as the study codes it, else as imaging of an unspecified kind."""
    for item in header.get("ProcedureCodeSequence", []):
        value, scheme = item.get("CodeValue"), item.get("CodingSchemeDesignator")
        if value and scheme and item.get("CodeMeaning"):
            return CodedConcept(str(value), str(scheme), str(item.CodeMeaning))
    return CodedConcept("363679005", "SCT", "Imaging procedure")


def _group(m: Measurement, headers: Mapping[str, Dataset], author: Author) -> Group:
    tracking = tid.TrackingIdentifier(uid=m.uid, identifier=f"{concepts.TOOL}:{concepts.TOOLS[m.kind]}")
    finding = CodedConcept(*concepts.FREE_TEXT, short_text(m.label)) if short_text(m.label) else None
    if m.values:
        group: Group = tid.MeasurementsAndQualitativeEvaluations(
            tracking_identifier=tracking, finding_type=finding, measurements=_numbers(m, headers)
        )
    else:
        group = tid.PlanarROIMeasurementsAndQualitativeEvaluations(
            tracking_identifier=tracking, finding_type=finding, referenced_region=_region(m, headers)
        )
    items = group[0].ContentSequence
    items.append(_text(concepts.KIND, m.kind))
    if plain(m.label).strip():
        items.append(_text(codes.DCM.Comment, plain(m.label)))
    if m.calibration:
        items.append(_text(concepts.CALIBRATION, plain(m.calibration)))
    if not m.on_image:
        series = hd.sr.UIDRefContentItem(concepts.SERIES, m.series_uid, RelationshipTypeValues.CONTAINS)
        items.append(series)
    return group


def _text(name: CodedConcept, text: str) -> hd.sr.TextContentItem:
    return hd.sr.TextContentItem(name, text, RelationshipTypeValues.CONTAINS)


def _numbers(m: Measurement, headers: Mapping[str, Dataset]) -> list[tid.Measurement]:
    numbers = []
    for value in m.values:
        name, derivation = _name(m, value)
        numbers.append(
            tid.Measurement(
                name=name,
                value=as_decimal(value.value),
                unit=concepts.unit_concept(value.unit),
                derivation=derivation,
                method=concepts.method_concept(value.method),
                referenced_coordinates=[_coordinates(m, value.name, headers)],
            )
        )
    return numbers


def as_decimal(value: float) -> float:
    """Return a number as DS can hold it, in 16 characters (PS3.5 6.2).

    >>> as_decimal(1 / 3)
    0.333333333333
    """
    for digits in range(17, 5, -1):
        text = f"{value:.{digits}g}"
        if len(text) <= 14:
            return float(text)
    return float(f"{value:.6g}")


def _name(m: Measurement, value: Value) -> tuple[CodedConcept, CodedConcept | None]:
    if m.kind == "cobb":
        return concepts.COBB, None
    if value.name in concepts.SIZES:
        return concepts.SIZES[value.name], None
    quantity = concepts.QUANTITIES.get(value.unit, concepts.QUANTITIES["1"])
    return quantity, concepts.DERIVATIONS.get(value.name)


def _coordinates(m: Measurement, name: str, headers: Mapping[str, Dataset]) -> Coordinates:
    if m.points_px is not None:
        kind, points = shape_of(m, _part(m, name, np.asarray(m.points_px, dtype=float)))
        return hd.sr.CoordinatesForMeasurement(kind, points, source_image=_source_image(m, headers))
    kind, points = shape_of(m, _part(m, name, np.asarray(m.points_lps_mm, dtype=float)))
    kind3d = "POLYGON" if kind == "POLYLINE" and m.kind in REGIONS else kind
    return hd.sr.CoordinatesForMeasurement3D(kind3d, points, m.frame_of_reference_uid)


def _region(m: Measurement, headers: Mapping[str, Dataset]) -> hd.sr.ImageRegion | hd.sr.ImageRegion3D:
    if m.points_px is not None:
        kind, points = shape_of(m, np.asarray(m.points_px, dtype=float))
        return hd.sr.ImageRegion(kind, points, source_image=_source_image(m, headers))
    kind, points = shape_of(m, np.asarray(m.points_lps_mm, dtype=float))
    return hd.sr.ImageRegion3D(kind, points, m.frame_of_reference_uid)


def _part(m: Measurement, name: str, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the points that one value of a measurement rests on: of two axes, its own."""
    if m.kind != "bidirectional":
        return points
    return points[:2] if name == "long_axis" else points[2:]


def shape_of(m: Measurement, points: NDArray[np.float64]) -> tuple[str, NDArray[np.float64]]:
    """Return the graphic type and points by which DICOM draws a measurement; outlines are closed."""
    if m.kind in {"probe", "text"}:
        return "POINT", points
    if m.kind == "ellipse":
        return "ELLIPSE", points
    if (
        m.kind == "angle"
    ):  # its vertex twice, as the end of one arm and the start of the other: so others read it
        return "POLYLINE", points[[0, 1, 1, 2]]
    if m.kind in REGIONS:
        return "POLYLINE", np.vstack([points, points[:1]])
    return "POLYLINE", points


def _source_image(m: Measurement, headers: Mapping[str, Dataset]) -> hd.sr.SourceImageForRegion:
    header = headers[m.sop_uid]
    frames = [m.frame] if images.has_frames(header) else None
    return hd.sr.SourceImageForRegion(header.SOPClassUID, m.sop_uid, referenced_frame_numbers=frames)
