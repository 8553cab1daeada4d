"""Maps of change as DICOM: Parametric Maps (PS3.3 A.75) and the Segmentation (A.51) of what changed.

Both lie on the grid of the map, in the frame of reference of the current images, which they refer to; the
prior's images are named as further sources, for a map is derived from both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import highdicom as hd
import numpy as np
from highdicom.color import CIELabColor
from highdicom.content import AlgorithmIdentificationSequence
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from sightline.kernel.codes import Code
from sightline.record.derived._header import (
    CHARACTER_SET,
    MANUFACTURER,
    IncompleteSource,
    device_uid,
    local_time,
    patient_name,
    read_headers,
    series_description,
    software_version,
    stamp,
)
from sightline.record.derived._texts import coded, deterministic_uid, plain, unquoted
from sightline.science.change import ChangeMap, Sign
from sightline.science.geometry import Grid

FIRST_SERIES_NUMBER = 920

ALGORITHM = "Change map"
INCREASED = Code("35105006", "SCT", "Increased")
DECREASED = Code("1250004", "SCT", "Decreased")
_SEGMENTS: tuple[tuple[Sign, str, Code, str], ...] = (
    ("increase", "Increase", INCREASED, "#ff6b5e"),
    ("decrease", "Decrease", DECREASED, "#4aa3ff"),
)


@dataclass(frozen=True, slots=True)
class _Kind:
    """What one Parametric Map holds: attribute of the map, content label, words, quantity, derivation."""

    field: str
    label: str
    words: str
    quantity: Code
    derivation: Any
    window: tuple[float, float]


_KINDS = (
    _Kind("z", "CHANGE_Z", "Change, z score", Code("113071", "DCM", "Z-score"),
          codes.DCM.PixelByPixelSubtraction, (0.0, 12.0)),
    _Kind("ratio", "CHANGE_RATIO", "Change, ratio now to then", Code("118586003", "SCT", "Ratio"),
          codes.DCM.PixelByPixelDivision, (1.0, 2.0)),
    _Kind("log_jacobian", "GROWTH_LOGJAC", "Growth, log of volume now to then",
          Code("log-jacobian", "99SIGHTLINE", "Logarithm of volume ratio by alignment"),
          None, (0.0, 2.0)),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Making:
    """What the objects of one map say of their making; the same values give the same objects.

    `key` identifies the pair of scans, `at` is the moment of asking.
    """

    key: str
    at: datetime
    simulated: bool


def build_change_objects(
    found: ChangeMap, current: Sequence[Dataset], prior: Sequence[Dataset], making: Making
) -> list[Dataset]:
    """Return the Parametric Maps of a map of change and, where something changed, the Segmentation of it.

    z and log-Jacobian always, the ratio where there is one; each a series of its own. The Segmentation has
    the segments *Increase* and *Decrease*, as far as they have voxels.

    Parameters
    ----------
    current : headers of the images of the current scan
        The objects become part of its study.
    prior : headers of the images of the prior
        Named as sources only.

    Raises
    ------
    IncompleteSource
        If the images lack UIDs or their frame of reference.

    References
    ----------
    PS3.3 A.75 (Parametric Map), A.51 (Segmentation), C.7.6.16.2.11 (Real World Value Mapping);
    PS3.16 CID 7203 (Image Derivation).
    """
    headers, others = read_headers(current, named=False), read_headers(prior, named=False)
    if not headers[0].get("FrameOfReferenceUID"):
        raise IncompleteSource("The current images have no FrameOfReferenceUID; choose another series.")
    kinds = [kind for kind in _KINDS if getattr(found, kind.field) is not None]
    objects = [_parametric_map(found, kind, headers, making) for kind in kinds]
    if found.clusters:
        objects.append(_segmentation(found, headers, making))
    for ds in objects:
        _name_prior(ds, others)
        stamp(ds, headers[0], making.at)
        ds.PatientName = patient_name(current[0])
    return objects


def _parametric_map(found: ChangeMap, kind: _Kind, headers: list[Dataset], making: Making) -> Dataset:
    values = np.asarray(getattr(found, kind.field), dtype=np.float32)
    low, high = (float(furthest(values)) for furthest in (np.nanmin, np.nanmax))
    mapping = hd.pm.RealWorldValueMapping(
        lut_label=kind.label, lut_explanation=kind.words, unit=codes.UCUM.NoUnits,
        value_range=(low, high), slope=1.0, intercept=0.0, quantity_definition=coded(kind.quantity),
    )  # fmt: skip
    centre, width = kind.window
    with unquoted():
        ds = hd.pm.ParametricMap(
            source_images=headers,
            pixel_array=values,
            contains_recognizable_visual_features=False,
            real_world_value_mappings=[mapping],
            voi_lut_transformations=[hd.VOILUTTransformation(window_center=centre, window_width=width)],
            content_label=kind.label,
            content_description=series_description(kind.words, simulated=making.simulated),
            derivation=kind.derivation,
            **_common(found, kind.label, kind.words, headers, making, _KINDS.index(kind)),
        )
    if "Laterality" not in ds:
        ds.Laterality = headers[0].get("Laterality", "")  # type 2C, which the library leaves out
    return ds


def _segmentation(found: ChangeMap, headers: list[Dataset], making: Making) -> Dataset:
    masks = [(segment, found.mask_of(segment[0])) for segment in _SEGMENTS]
    shown = [(segment, mask) for segment, mask in masks if mask.any()]
    words = "Change, significant clusters"
    with unquoted():
        return hd.seg.Segmentation(
            source_images=headers,
            pixel_array=np.stack([mask for _, mask in shown], axis=-1).astype(np.uint8),
            segmentation_type=hd.seg.SegmentationTypeValues.BINARY,
            segment_descriptions=[
                _segment(number, *segment, making.key) for number, (segment, _) in enumerate(shown, start=1)
            ],
            content_label="CHANGE",
            content_description=series_description(words, simulated=making.simulated),
            **_common(found, "CHANGE", words, headers, making, len(_KINDS)),
        )


def _segment(
    number: int, sign: Sign, label: str, kind: Code, colour: str, key: str
) -> hd.seg.SegmentDescription:
    return hd.seg.SegmentDescription(
        segment_number=number,
        segment_label=label,
        segmented_property_category=codes.SCT.SpatialAndRelationalConcept,
        segmented_property_type=coded(kind),
        algorithm_type=hd.seg.SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=AlgorithmIdentificationSequence(
            name=ALGORITHM,
            version=software_version(),
            family=codes.DCM.ClusterAnalysis,
            source=MANUFACTURER,
        ),
        tracking_uid=deterministic_uid("sightline", "change", key, sign),
        tracking_id=plain(label),
        display_color=CIELabColor.from_string(colour),
    )


def _common(
    found: ChangeMap, label: str, words: str, headers: list[Dataset], making: Making, place: int
) -> dict[str, Any]:
    """Return the arguments that every one of these objects takes."""
    local = local_time(headers[0], making.at)
    study = str(headers[0].StudyInstanceUID)
    return {
        "series_instance_uid": deterministic_uid("sightline", study, "change", making.key, label),
        "sop_instance_uid": deterministic_uid(
            "sightline", study, "change", making.key, label, making.at.isoformat()
        ),
        "series_number": FIRST_SERIES_NUMBER + place,
        "instance_number": int(making.at.timestamp()) % 2**31,  # of a map made again the last stands
        "series_description": series_description(words, simulated=making.simulated),
        "manufacturer": MANUFACTURER,
        "manufacturer_model_name": MANUFACTURER,
        "software_versions": software_version(),
        "device_serial_number": device_uid(),
        "content_date": local.date(),
        "content_time": local.time(),
        "specific_character_set": CHARACTER_SET,
        **_placed(found.grid),
    }


def _placed(grid: Grid) -> dict[str, Any]:
    """Return where the planes of a grid lie (PS3.3 C.7.6.16.2)."""
    x, y, z = grid.spacing_xyz_mm
    corners = grid.to_lps_mm([[n, 0, 0] for n in range(grid.shape_zyx[0])])
    along, down = (axis.tolist() for axis in (grid.axes[:, 0], grid.axes[:, 1]))
    system = hd.CoordinateSystemNames.PATIENT
    return {
        "pixel_measures": hd.PixelMeasuresSequence([_rounded(y), _rounded(x)], _rounded(z), _rounded(z)),
        "plane_orientation": hd.PlaneOrientationSequence(system, [*along, *down]),
        "plane_positions": [hd.PlanePositionSequence(system, corner.tolist()) for corner in corners],
    }


def _rounded(mm: float) -> float:
    """Return a distance as it fits into a decimal string of 16 characters (PS3.5 6.2, DS)."""
    return round(mm, 9)


def _name_prior(ds: Dataset, prior: Sequence[Dataset]) -> None:
    """Name the images of another study that the object is derived from too (PS3.3 C.12.1.1.7)."""
    images = []
    for header in prior:
        image = Dataset()
        image.ReferencedSOPClassUID = header.SOPClassUID
        image.ReferencedSOPInstanceUID = header.SOPInstanceUID
        images.append(image)
    series, study = Dataset(), Dataset()
    series.SeriesInstanceUID, series.ReferencedInstanceSequence = prior[0].SeriesInstanceUID, images
    study.StudyInstanceUID, study.ReferencedSeriesSequence = prior[0].StudyInstanceUID, [series]
    ds.StudiesContainingOtherReferencedInstancesSequence = [study]
