"""Label maps as Segmentations (PS3.3 A.51), and Segmentations as descriptions.

Binary, one bit a voxel and segment: layers may overlap, and every reader of Segmentations knows it. The
newer Label Map Segmentation allows no overlap, and few readers open it.
"""

from collections.abc import Sequence

import highdicom as hd
import numpy as np
from highdicom.color import CIELabColor
from highdicom.content import AlgorithmIdentificationSequence
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.sr.codedict import codes

from sightline.kernel.codes import Code
from sightline.record import derived
from sightline.record.annotations import _images as image_facts
from sightline.record.annotations._documents import _authoring as authoring
from sightline.record.annotations._documents._authoring import Author
from sightline.record.annotations._documents._concepts import first, key_of
from sightline.record.annotations._model import (
    Code3,
    NothingSegmented,
    Origin,
    Painted,
    Segment,
    Segmentation,
    UnusableLabelmap,
    is_uid,
)
from sightline.record.derived import MANUFACTURER, coded, short_text

SERIES_NUMBER = 913
# As other programs tell segments apart where none has a colour.
COLOURS = ("#f5a623", "#4aa3ff", "#4fc38a", "#ff6b5e", "#b48cff", "#f2e24b", "#5ee0d8", "#ff9ad5")


def build_segmentation(
    painted: Painted,
    voxels: NDArray[np.uint8],
    source: Sequence[Dataset],
    author: Author,
    *,
    series_uid: str,
    version: int,
) -> hd.seg.Segmentation:
    """Return a label map as a Segmentation on the grid of its images.

    Parameters
    ----------
    painted : grid and segments
    voxels : uint8 (layer, slice, row, column)
        The number of a segment, 0 for none.
    source : headers of the images of the slices
        In the order of the slices, or one multi-frame object whose frames they are.

    Raises
    ------
    NothingSegmented
        If no voxel belongs to a segment.
    UnusableLabelmap
        If a voxel has the number of no segment, or the images are of another size or space.
    """
    _require_fitting(painted, voxels, source)
    headers = derived.read_headers(source, named=False)
    images, planes = _planes(painted, voxels, headers)
    _require_one_moment(images)
    try:
        ds = _segmentation(painted, images, planes, headers, author, series_uid=series_uid, version=version)
    except (ValueError, TypeError, AttributeError) as error:
        raise UnusableLabelmap(
            "These images lack what a segmentation repeats of them; segment another series."
        ) from error
    if image_facts.place_of(headers[0], 1) is None:
        ds.PatientOrientation = headers[0].get(
            "PatientOrientation", ""
        )  # type 2C of an image without a place
    authoring.finish(ds, source[0], headers[0], author)
    return ds


def _require_one_moment(images: Sequence[Dataset]) -> None:
    """Refuse images that lie twice at one place: a segmentation is of one moment."""
    frames = [
        (ds, frame)
        for ds in images
        for frame in range(1, 1 + (int(ds.get("NumberOfFrames") or 1) if image_facts.has_frames(ds) else 1))
    ]
    places = [place for ds, frame in frames if (place := image_facts.place_of(ds, frame)) is not None]
    if not places and len(frames) > 1:
        raise UnusableLabelmap("The images say not where they lie in the patient; segment another series.")
    if len({tuple(np.round(place.corner, 3)) for place in places}) < len(places):
        raise UnusableLabelmap(
            "Several images lie at one place, as in a series over time; segment those of one moment."
        )


def _segmentation(
    painted: Painted,
    images: list[Dataset],
    planes: NDArray[np.uint8],
    headers: list[Dataset],
    author: Author,
    *,
    series_uid: str,
    version: int,
) -> hd.seg.Segmentation:
    return hd.seg.Segmentation(
        source_images=images,
        pixel_array=planes,
        segmentation_type=hd.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=[_description(segment) for segment in painted.segments],
        series_number=SERIES_NUMBER,
        content_label="SEGMENTATION",
        content_description=derived.series_description(
            painted.label or "Segmentation", simulated=author.simulated
        ),
        content_creator_name=derived.person_name(author.name),
        content_creator_identification=authoring.identity(author),
        series_description=derived.series_description(
            painted.label or "Segmentation", simulated=author.simulated
        ),
        **authoring.common(headers, author, series_uid=series_uid, version=version),
    )


def _shared(header: Dataset) -> Dataset:
    """Put what all frames give alike where the library looks for it, in the shared functional groups."""
    if "PerFrameFunctionalGroupsSequence" not in header:
        return header
    for name in ("PixelMeasuresSequence", "PlaneOrientationSequence"):
        shared, frames = header.SharedFunctionalGroupsSequence[0], header.PerFrameFunctionalGroupsSequence
        if name not in shared and all(name in frame for frame in frames):
            if any(frame[name].value != frames[0][name].value for frame in frames):
                raise UnusableLabelmap("The frames lie in different directions; segment another series.")
            shared[name] = frames[0][name]
    return header


def _require_fitting(painted: Painted, voxels: NDArray[np.uint8], source: Sequence[Dataset]) -> None:
    if int(voxels.max(initial=0)) > len(painted.segments):
        raise UnusableLabelmap("A voxel has the number of a segment that is not described.")
    if not voxels.any():
        raise NothingSegmented("No voxel belongs to a segment; paint first, then save.")
    size = (painted.rows, painted.columns)
    if any((int(ds.get("Rows") or 0), int(ds.get("Columns") or 0)) != size for ds in source):
        raise UnusableLabelmap("The label map has other rows and columns than the images of its series.")


def _planes(
    painted: Painted, voxels: NDArray[np.uint8], headers: list[Dataset]
) -> tuple[list[Dataset], NDArray[np.uint8]]:
    """Return the images that are painted on, and their planes (plane, row, column, segment)."""
    count = len(painted.segments)
    touched = np.flatnonzero(voxels.any(axis=(0, 2, 3)))
    if image_facts.has_frames(headers[0]):
        if len({str(ds.SOPInstanceUID) for ds in headers}) > 1:
            raise UnusableLabelmap("The slices lie on several multi-frame objects; segment one of them.")
        images, total = [_shared(headers[0])], int(headers[0].NumberOfFrames)
        at = [painted.slices[z].frame - 1 for z in touched]
    else:
        images, total = [headers[z] for z in touched], len(touched)
        at = list(range(total))
    if any(not 0 <= plane < total for plane in at):
        raise UnusableLabelmap("The label map names a frame that its image does not have.")
    planes = np.zeros((total, painted.rows, painted.columns, count), np.uint8)
    for plane, z in zip(at, touched, strict=True):
        for layer in voxels[:, z]:
            for number in np.unique(layer[layer > 0]):
                planes[plane, ..., number - 1] |= layer == number
    return images, planes


def _description(segment: Segment) -> hd.seg.SegmentDescription:
    identification = None
    if segment.algorithm != "manual":
        identification = AlgorithmIdentificationSequence(
            name=short_text(segment.algorithm_name) or MANUFACTURER,
            version=derived.software_version(),
            family=codes.DCM.ArtificialIntelligence,
            source=MANUFACTURER,
        )
    colour = segment.colour or COLOURS[(segment.number - 1) % len(COLOURS)]
    return hd.seg.SegmentDescription(
        segment_number=segment.number,
        segment_label=short_text(segment.label),
        segmented_property_category=coded(Code(*segment.category)),
        segmented_property_type=coded(Code(*segment.type)),
        algorithm_type=segment.algorithm.upper(),
        algorithm_identification=identification,
        tracking_uid=segment.tracking_uid or hd.UID(),
        tracking_id=short_text(segment.label),
        display_color=CIELabColor.from_string(colour),
    )


def read_segmentation(ds: Dataset, origin: Origin) -> Segmentation:
    """Return the description of a segmentation, from its header."""
    series = first(ds, "ReferencedSeriesSequence")
    items = [i for i in ds.get("SegmentSequence") or [] if i.get("SegmentNumber") != 0]  # 0: the background
    segments = [_segment(n, item) for n, item in enumerate(items, start=1)]
    return Segmentation(
        uid=str(ds.SOPInstanceUID),
        series_uid=str(ds.SeriesInstanceUID),
        label=str(
            ds.get("SeriesDescription") or ds.get("ContentDescription") or ds.get("ContentLabel") or ""
        ),
        reference_series_uid=str(series.get("SeriesInstanceUID", "")) if series is not None else "",
        segments=segments,
        fractional=str(ds.get("SegmentationType", "")) == "FRACTIONAL",
        algorithm=next((s.algorithm_name for s in segments if s.algorithm_name), ""),
        source=origin,
    )


def _segment(place: int, item: Dataset) -> Segment:
    number = int(item.get("SegmentNumber") or place)
    kind = str(item.get("SegmentAlgorithmType", "")).lower()
    tracking = str(item.get("TrackingUID") or "")
    algorithm = kind if kind in {"manual", "semiautomatic", "automatic"} else "manual"
    return Segment(
        number=number,
        label=short_text(str(item.get("SegmentLabel") or f"Segment {number}")) or f"Segment {number}",
        colour=_colour(item, place),
        category=_code(item, "SegmentedPropertyCategoryCodeSequence"),
        type=_code(item, "SegmentedPropertyTypeCodeSequence"),
        algorithm=algorithm,  # type: ignore[arg-type]
        algorithm_name=str(item.get("SegmentAlgorithmName") or ""),
        tracking_uid=tracking if is_uid(tracking) else "",
    )


def _code(item: Dataset, keyword: str) -> Code3:
    code = first(item, keyword)
    value, scheme = key_of(code)
    meaning = str(code.get("CodeMeaning", "")) if code is not None else ""
    return (value[:16] or "unknown", scheme[:16] or "unknown", meaning[:64] or "unknown")


def _colour(item: Dataset, place: int) -> str:
    values = item.get("RecommendedDisplayCIELabValue")
    if values is None or len(values) != 3:
        return COLOURS[(place - 1) % len(COLOURS)]
    red, green, blue = CIELabColor.from_dicom_value([int(v) for v in values]).to_rgb(clip=True)
    return f"#{red:02x}{green:02x}{blue:02x}"
