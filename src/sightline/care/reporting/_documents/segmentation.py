"""The lesions' outlines as a DICOM Segmentation: one binary segment a lesion.

Binary rather than labelmap: lesions may overlap, every viewer reads it, and outside judges know it.
"""

import math
from collections.abc import Sequence

import highdicom as hd
import numpy as np
from highdicom.color import CIELabColor
from highdicom.content import AlgorithmIdentificationSequence
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from sightline.care.reporting._documents._model import (
    MaskOutsideImages,
    NothingToSegment,
    ReportedLesion,
    SignedReport,
    object_uids,
)
from sightline.care.reporting._documents._planes import order_planes
from sightline.record import derived
from sightline.record.derived import (
    MANUFACTURER,
    IncompleteSource,
    coded,
    deterministic_uid,
    plain,
    short_text,
)

SERIES_NUMBER = 901
GOLDEN_ANGLE = math.pi * (3 - math.sqrt(5))  # radians


def build_segmentation(
    source: Sequence[Dataset],
    lesions: Sequence[ReportedLesion],
    report: SignedReport,
) -> hd.seg.Segmentation:
    """Return the masks of the lesions as one Segmentation on the grid of the source images.

    Parameters
    ----------
    source : headers of the images, in any order
        The series that the masks were drawn on, or one multi-frame object; the masks lie on the grid of
        its `science.volumes.assemble_volume`.
    lesions : in the order of their segments
        Those without a voxel are left out; segment n is the n-th that has one.
    report : the signed report

    Raises
    ------
    NothingToSegment
        If no lesion has a voxel.
    MaskOutsideImages
        If a mask reaches beyond the images, or the stack is sheared, so that its masks lie on none.
    IncompleteSource
        If the images lack UIDs, frame of reference or positions.

    References
    ----------
    PS3.3 A.51 (Segmentation IOD), C.8.20.2 (Segmentation Image), PS3.16 CID 7150 and 7159.
    """
    drawn = [lesion for lesion in lesions if lesion.segmented]
    if not drawn:
        raise NothingToSegment("No lesion of the report has a mask; store the report without a segmentation.")
    headers = derived.read_headers(source, named=False)
    if not headers[0].get("FrameOfReferenceUID"):
        raise IncompleteSource("The source images have no FrameOfReferenceUID; segment another series.")
    images, planes = _images_and_planes(headers, drawn)
    study_uid = str(headers[0].StudyInstanceUID)
    series_uid, instance_uid = object_uids(study_uid, report, "SEG")
    signed = derived.local_time(headers[0], report.signed_at)
    segmentation = hd.seg.Segmentation(
        source_images=images,
        pixel_array=planes,
        segmentation_type=hd.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=[_segment(number, lesion) for number, lesion in enumerate(drawn, start=1)],
        series_instance_uid=series_uid,
        series_number=SERIES_NUMBER,
        sop_instance_uid=instance_uid,
        instance_number=report.version,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=MANUFACTURER,
        software_versions=derived.software_version(),
        device_serial_number=derived.device_uid(),
        content_label="LESIONS",
        content_description=derived.series_description("Lesions of the report", simulated=report.simulated),
        content_creator_name=derived.person_name(report.signed_by),
        series_description=derived.series_description("Lesion segmentation", simulated=report.simulated),
        content_date=signed.date(),
        content_time=signed.time(),
        specific_character_set=derived.CHARACTER_SET,
    )
    derived.stamp(segmentation, headers[0], report.signed_at)
    segmentation.PatientName = derived.patient_name(source[0])
    _fix_dimensions(segmentation, deterministic_uid(instance_uid, "dimensions"))
    return segmentation


def _images_and_planes(
    headers: list[Dataset], lesions: Sequence[ReportedLesion]
) -> tuple[list[Dataset], NDArray[np.uint8]]:
    """Return the images to segment and planes (n, rows, columns, segments), one an image or frame.

    Of a series only the slices that a lesion touches are taken, so that a long one costs no memory.
    """
    order = order_planes(headers)
    rows, columns = int(headers[0].Rows), int(headers[0].Columns)
    for lesion in lesions:
        _require_inside(lesion, (len(order), rows, columns))
    if "NumberOfFrames" in headers[0]:
        if len(headers) > 1:
            raise IncompleteSource("The source is more than one multi-frame object; segment one of them.")
        count, images = int(headers[0].NumberOfFrames), headers
        at = {z: plane.frame for z, plane in enumerate(order)}
    else:
        taken = sorted({z for lesion in lesions for z in _touched(lesion)})
        count, images = len(taken), [headers[order[z].image] for z in taken]
        at = {z: n for n, z in enumerate(taken)}
    planes = np.zeros((count, rows, columns, len(lesions)), np.uint8)
    for segment, lesion in enumerate(lesions):
        _draw(lesion, planes[..., segment], at)
    return images, planes


def _touched(lesion: ReportedLesion) -> list[int]:
    assert lesion.mask is not None
    return [int(z) + lesion.offset_zyx[0] for z in np.flatnonzero(lesion.mask.any(axis=(1, 2)))]


def _require_inside(lesion: ReportedLesion, shape_zyx: tuple[int, int, int]) -> None:
    assert lesion.mask is not None
    ends = [start + size for start, size in zip(lesion.offset_zyx, lesion.mask.shape, strict=True)]
    if min(lesion.offset_zyx) < 0 or any(end > size for end, size in zip(ends, shape_zyx, strict=True)):
        raise MaskOutsideImages(
            f"The mask of lesion {lesion.number} reaches beyond the source images; "
            "give the images that it was drawn on."
        )


def _draw(lesion: ReportedLesion, planes: NDArray[np.uint8], at: dict[int, int]) -> None:
    assert lesion.mask is not None
    z0, y0, x0 = lesion.offset_zyx
    _, height, width = lesion.mask.shape
    for z in _touched(lesion):
        planes[at[z], y0 : y0 + height, x0 : x0 + width] = lesion.mask[z - z0]


def _segment(number: int, lesion: ReportedLesion) -> hd.seg.SegmentDescription:
    if lesion.algorithm is None:
        kind, identification = hd.seg.SegmentAlgorithmTypeValues.MANUAL, None
    else:
        kind = (
            hd.seg.SegmentAlgorithmTypeValues.AUTOMATIC
            if lesion.decision == "accepted"
            else hd.seg.SegmentAlgorithmTypeValues.SEMIAUTOMATIC
        )
        name, version = lesion.algorithm
        identification = AlgorithmIdentificationSequence(
            name=short_text(name),
            version=short_text(version),
            family=coded(lesion.algorithm_family),
            source=MANUFACTURER,
        )
    return hd.seg.SegmentDescription(
        segment_number=number,
        segment_label=short_text(f"{lesion.number} {lesion.label}"),
        segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
        segmented_property_type=coded(lesion.finding),
        algorithm_type=kind,
        algorithm_identification=identification,
        tracking_uid=lesion.tracking_uid,
        tracking_id=plain(f"{lesion.number} {lesion.label}"),
        anatomic_regions=_regions(lesion),
        display_color=_colour(number),
    )


def _colour(number: int) -> CIELabColor:
    """Return a colour of even lightness for a segment; each next one far round the circle from the others."""
    hue = number * GOLDEN_ANGLE
    return CIELabColor(70.0, 55.0 * math.cos(hue), 55.0 * math.sin(hue))


def _regions(lesion: ReportedLesion) -> list[hd.sr.CodedConcept] | None:
    if lesion.site is None:
        return None
    region = coded(lesion.site)
    if lesion.laterality is not None:
        region.AnatomicRegionModifierSequence = [coded(lesion.laterality)]
    return [region]


def _fix_dimensions(segmentation: Dataset, uid: str) -> None:
    """Give the dimensions (PS3.3 C.7.6.17) a UID of their own that does not change from run to run."""
    for item in (*segmentation.DimensionOrganizationSequence, *segmentation.DimensionIndexSequence):
        item.DimensionOrganizationUID = uid
