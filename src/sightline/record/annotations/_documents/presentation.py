"""How images are shown, as softcopy presentation states of grey and of colour images.

The library writes what it knows; turning, mirroring and the area shown are put on here.
"""

import math
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Literal, cast

import highdicom as hd
import numpy as np
from highdicom.pr import GraphicAnnotation, GraphicLayer, GraphicObject, TextObject
from PIL import ImageCms
from pydicom import Dataset
from pydicom.valuerep import DA, TM

from sightline.record import derived
from sightline.record.annotations import _images as images
from sightline.record.annotations._documents import _authoring as authoring
from sightline.record.annotations._documents._authoring import Author
from sightline.record.annotations._documents._concepts import first
from sightline.record.annotations._images import numbers
from sightline.record.annotations._model import (
    Area,
    Graphic,
    Origin,
    Presentation,
    ShownImage,
    UnusableAnnotation,
    Window,
)

SERIES_NUMBER = 912
GREYSCALE, COLOUR = "1.2.840.10008.5.1.4.1.1.11.1", "1.2.840.10008.5.1.4.1.1.11.2"
READABLE = frozenset({GREYSCALE, COLOUR})
_TO_DICOM = {"polyline": "POLYLINE", "point": "POINT", "circle": "CIRCLE", "ellipse": "ELLIPSE"}
_FROM_DICOM: dict[str, Literal["polyline", "point", "circle", "ellipse"]] = {
    "POLYLINE": "polyline",
    "INTERPOLATED": "polyline",
    "POINT": "point",
    "CIRCLE": "circle",
    "ELLIPSE": "ellipse",
}


def build_presentation(
    shown: Presentation,
    source: Mapping[str, Dataset],
    author: Author,
    *,
    version: int,
) -> Dataset:
    """Return the presentation state of one presentation.

    Parameters
    ----------
    source : headers of the images it is for, by SOP Instance UID

    Raises
    ------
    UnusableAnnotation
        If its images are of grey and of colour, or a graphic lies outside them.

    References
    ----------
    PS3.3 A.33.1 and A.33.2 (IODs), C.10.4 (displayed area), C.10.5 (graphics), C.10.6 (turning).
    """
    sources = [source[image.sop_uid] for image in shown.images]
    headers = derived.read_headers(sources, named=False)
    samples = {int(ds.get("SamplesPerPixel") or 1) for ds in headers}
    if len(samples) > 1 or len({(ds.get("Rows"), ds.get("Columns")) for ds in headers}) > 1:
        raise UnusableAnnotation("A presentation is for images of one size, grey or in colour; make two.")
    arguments: dict[str, Any] = authoring.common(headers, author, series_uid=shown.uid, version=version)
    local = arguments.pop("content_date"), arguments.pop("content_time")  # this IOD has dates of its own
    arguments |= {
        "referenced_images": headers,
        "series_number": SERIES_NUMBER,
        "series_description": derived.series_description(
            shown.label or "Presentation", simulated=author.simulated
        ),
        "content_label": "SIGHTLINE",
        "content_description": derived.short_text(shown.label) or None,
        "content_creator_name": derived.person_name(author.name),
        "content_creator_identification": authoring.identity(author),
    }
    ds = _state(shown, arguments, samples.pop())
    _name_frames(ds, shown)
    _turn(ds, shown)
    _show_area(ds, shown)
    ds.PresentationCreationDate, ds.PresentationCreationTime = DA(local[0]), TM(local[1])
    ds.Laterality = headers[0].get("Laterality", "")  # type 2C of the series (PS3.3 C.7.3.1)
    authoring.finish(ds, sources[0], headers[0], author)
    return ds


def _state(shown: Presentation, arguments: dict[str, Any], samples: int) -> Dataset:
    headers = arguments["referenced_images"]
    header = headers[0]
    frame = (shown.images[0].frames or [1])[0]
    try:
        layer = GraphicLayer(_layer_name(shown.layer), 1)
        if annotations := _annotations(shown, headers, layer):
            arguments |= {"graphic_annotations": annotations, "graphic_layers": [layer]}
        if samples != 1:
            return hd.pr.ColorSoftcopyPresentationState(**arguments, icc_profile=srgb_profile())
        window = shown.window or (images.window_of(header, frame) if images.has_frames(header) else None)
        if window is not None:
            arguments["voi_lut_transformations"] = [
                hd.pr.SoftcopyVOILUTTransformation(window_center=window.center, window_width=window.width)
            ]
        if images.has_frames(header) and (rescale := images.rescale_of(header, frame)) is not None:
            slope, intercept, kind = rescale
            arguments["modality_lut_transformation"] = hd.ModalityLUTTransformation(
                rescale_intercept=intercept, rescale_slope=slope, rescale_type=kind
            )
        arguments["referenced_images"] = [_without_groups(ds) for ds in headers]
        # Grey values of a presentation state are as in MONOCHROME2, whatever the image is (PS3.3 C.11.6).
        inverse = shown.invert != is_inverse(header)
        shape = "INVERSE" if inverse else "IDENTITY"
        arguments["presentation_lut_transformation"] = hd.PresentationLUTTransformation(
            presentation_lut_shape=shape
        )
        return hd.pr.GrayscaleSoftcopyPresentationState(**arguments)
    except (ValueError, AttributeError, TypeError) as error:
        raise UnusableAnnotation(
            "These images lack what a presentation state repeats of them; show them without one."
        ) from error


def _without_groups(header: Dataset) -> Dataset:
    """Return a multi-frame header with empty functional groups: the library reads none but demands them."""
    if images.has_frames(header):
        header.SharedFunctionalGroupsSequence = [Dataset()]
        header.PerFrameFunctionalGroupsSequence = [Dataset() for _ in range(int(header.NumberOfFrames))]
    return header


@cache
def srgb_profile() -> bytes:
    """Return sRGB as an ICC profile of an input device, the class that DICOM wants (PS3.3 C.11.15)."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[12:16] = b"scnr"
    return bytes(profile)


def is_inverse(image: Dataset) -> bool:
    """Say whether an image shows its low values bright of itself."""
    return str(image.get("PhotometricInterpretation", "")) == "MONOCHROME1"


def _layer_name(layer: str) -> str:
    """Return a code string (CS) for a layer.

    >>> _layer_name("read by me")
    'READ BY ME'
    """
    kept = "".join(c if c.isascii() and (c.isalnum() or c in " _") else "_" for c in layer.upper())
    return kept.strip()[:16] or "LAYER"


def _annotations(
    shown: Presentation, headers: Sequence[Dataset], layer: GraphicLayer
) -> list[GraphicAnnotation]:
    if not shown.graphics:
        return []
    rows, columns = int(headers[0].Rows), int(headers[0].Columns)
    for graphic in shown.graphics:
        if not all(0 <= c <= columns and 0 <= r <= rows for c, r in graphic.points):
            raise UnusableAnnotation("A graphic of a presentation lies outside the image; move it inside.")
    objects = [_object(graphic) for graphic in shown.graphics if graphic.kind != "text"]
    texts = [
        TextObject(
            text_value=derived.plain(g.text),
            units="PIXEL",
            anchor_point=g.points[0],
            anchor_point_visible=False,
        )
        for g in shown.graphics
        if g.kind == "text"
    ]
    return [
        GraphicAnnotation(
            referenced_images=over,
            graphic_layer=layer,
            referenced_frame_number=frames,
            graphic_objects=objects or None,
            text_objects=texts or None,
        )
        for over, frames in _targets(shown, headers)
    ]


def _targets(shown: Presentation, headers: Sequence[Dataset]) -> list[tuple[list[Dataset], list[int] | None]]:
    """Return the images that graphics are drawn over: multi-frame ones each for itself, with its frames."""
    if any(images.has_frames(ds) for ds in headers):
        return [([ds], image.frames) for ds, image in zip(headers, shown.images, strict=True)]
    return [(list(headers), None)]


def _object(graphic: Graphic) -> GraphicObject:
    points = np.array(graphic.points, dtype=float)
    if graphic.kind == "polyline" and graphic.closed and not np.array_equal(points[0], points[-1]):
        points = np.vstack([points, points[:1]])
    return GraphicObject(graphic_type=_TO_DICOM[graphic.kind], graphic_data=points, units="PIXEL")


def _name_frames(ds: Dataset, shown: Presentation) -> None:
    """Name the frames that are shown, which the library leaves to the graphics."""
    frames = {image.sop_uid: image.frames for image in shown.images if image.frames}
    sequences = [ds.ReferencedSeriesSequence]
    for series in sequences[0]:
        for item in series.ReferencedImageSequence:
            if item.ReferencedSOPInstanceUID in frames:
                item.ReferencedFrameNumber = frames[item.ReferencedSOPInstanceUID]


def _turn(ds: Dataset, shown: Presentation) -> None:
    if shown.rotation or shown.flip_horizontal:
        ds.ImageRotation = shown.rotation
        ds.ImageHorizontalFlip = "Y" if shown.flip_horizontal else "N"


def _show_area(ds: Dataset, shown: Presentation) -> None:
    """Say which whole pixels are shown, by those at the corners of the screen, from 1 (PS3.3 C.10.4)."""
    for item in ds.DisplayedAreaSelectionSequence:
        if shown.area is not None:
            (left, top), (right, bottom) = shown.area.top_left, shown.area.bottom_right
            box = (math.floor(left) + 1, math.floor(top) + 1, math.ceil(right), math.ceil(bottom))
        else:
            start, end = item.DisplayedAreaTopLeftHandCorner, item.DisplayedAreaBottomRightHandCorner
            box = (int(start[0]), int(start[1]), int(end[0]), int(end[1]))
        first_corner, last_corner = _corners_on_screen(box, shown.rotation, shown.flip_horizontal)
        item.DisplayedAreaTopLeftHandCorner = list(first_corner)
        item.DisplayedAreaBottomRightHandCorner = list(last_corner)


def _corners_on_screen(
    box: tuple[int, int, int, int], rotation: int, flip: bool
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return which corners of a box come to lie top left and bottom right, turned clockwise, then mirrored.

    >>> _corners_on_screen((1, 1, 9, 5), 90, False)
    ((1, 5), (9, 1))
    """
    left, top, right, bottom = box
    round_ = [(left, top), (right, top), (right, bottom), (left, bottom)]  # clockwise from the top left
    turned = [round_[(corner - rotation // 90) % 4] for corner in range(4)]
    if flip:
        turned = [turned[1], turned[0], turned[3], turned[2]]
    return turned[0], turned[2]


def read_presentation(ds: Dataset, origin: Origin) -> tuple[Presentation, list[str]]:
    """Return a presentation state as a presentation, and what of it could not be taken over.

    `invert` is meant for images that show low values dark; for others it is the other way round.

    Raises
    ------
    UnusableAnnotation
        If it is of a kind not read here, or names no image.
    """
    if str(ds.get("SOPClassUID", "")) not in READABLE:
        raise UnusableAnnotation("Only greyscale and colour presentation states are read.")
    shown, series_uid = _images(ds)
    if not shown:
        raise UnusableAnnotation("It names no image.")
    reasons: list[str] = []
    area = _area(ds)
    shape = str(ds.get("PresentationLUTShape", "") or "")
    rotation = int(ds.get("ImageRotation") or 0) % 360
    label = str(ds.get("ContentDescription") or ("" if origin.ours else ds.get("ContentLabel")) or "")
    presentation = Presentation(
        uid=str(ds.SeriesInstanceUID) if origin.ours else str(ds.SOPInstanceUID),
        series_uid=series_uid,
        images=shown,
        label=label[:64],
        window=_window(ds, reasons),
        invert=shape == "INVERSE",
        rotation=cast(Literal[0, 90, 180, 270], rotation if rotation in {0, 90, 180, 270} else 0),
        flip_horizontal=ds.get("ImageHorizontalFlip") == "Y",
        area=area,
        graphics=_graphics(ds, area, reasons),
        layer=_layer(ds),
        editable=origin.ours,
        source=origin,
    )
    return presentation, reasons


def _images(ds: Dataset) -> tuple[list[ShownImage], str]:
    found: list[ShownImage] = []
    series_uid = ""
    for series in ds.get("ReferencedSeriesSequence") or []:
        series_uid = series_uid or str(series.get("SeriesInstanceUID", ""))
        for item in series.get("ReferencedImageSequence") or []:
            frames = item.get("ReferencedFrameNumber")
            listed = None if not frames else [int(frames)] if isinstance(frames, int | str) else None
            if frames and listed is None:
                listed = [int(f) for f in frames]
            found.append(ShownImage(str(item.ReferencedSOPInstanceUID), listed))
    return found, series_uid


def _window(ds: Dataset, reasons: list[str]) -> Window | None:
    items = ds.get("SoftcopyVOILUTSequence") or []
    if len(items) > 1:
        reasons.append("Several windows for different images: only the first was taken.")
    for item in items:
        if item.get("VOILUTSequence"):
            reasons.append("Its table of grey values (VOI LUT) is not applied.")
        centres, widths = item.get("WindowCenter"), item.get("WindowWidth")
        if centres is not None and widths is not None:
            try:
                return Window(float(np.ravel(centres)[0]), float(np.ravel(widths)[0]))
            except (UnusableAnnotation, ValueError, IndexError):
                reasons.append("Its window cannot be right and was left out.")
        return None
    return None


def _area(ds: Dataset) -> Area | None:
    item = first(ds, "DisplayedAreaSelectionSequence")
    if item is None:
        return None
    a = numbers(item, "DisplayedAreaTopLeftHandCorner", 2)
    b = numbers(item, "DisplayedAreaBottomRightHandCorner", 2)
    if a is None or b is None:
        return None
    low, high = np.minimum(a, b) - 1, np.maximum(a, b)
    return Area((float(low[0]), float(low[1])), (float(high[0]), float(high[1])))


def _layer(ds: Dataset) -> str:
    item = first(ds, "GraphicLayerSequence")
    return str(item.get("GraphicLayer", ""))[:16] if item is not None else ""


def _graphics(ds: Dataset, area: Area | None, reasons: list[str]) -> list[Graphic]:
    found: list[Graphic] = []
    for annotation in ds.get("GraphicAnnotationSequence") or []:
        for item in annotation.get("GraphicObjectSequence") or []:
            _add(found, lambda item=item: _graphic(item, area), reasons)
        for item in annotation.get("TextObjectSequence") or []:
            _add(found, lambda item=item: _text(item, area), reasons)
    return list({(g.kind, tuple(g.points), g.text): g for g in found}.values())


def _add(found: list[Graphic], read: Any, reasons: list[str]) -> None:
    try:
        found.append(read())
    except (UnusableAnnotation, AttributeError, ValueError, TypeError, KeyError) as error:
        why = str(error) if isinstance(error, UnusableAnnotation) else "it is not built as the standard says"
        reasons.append(f"A graphic was left out: {why}")


def _graphic(item: Dataset, area: Area | None) -> Graphic:
    kind = str(item.GraphicType)
    if kind not in _FROM_DICOM:
        raise UnusableAnnotation(f"its type {kind[:16]} is not known.")
    flat = [float(v) for v in item.GraphicData]
    points = list(zip(flat[::2], flat[1::2], strict=True))
    points = _in_image(points, str(item.get("GraphicAnnotationUnits", "PIXEL")), area)
    closed = len(points) > 2 and points[0] == points[-1]
    return Graphic(_FROM_DICOM[kind], points, closed=closed)


def _text(item: Dataset, area: Area | None) -> Graphic:
    point, units = item.get("AnchorPoint"), item.get("AnchorPointAnnotationUnits")
    if point is None:
        point, units = item.BoundingBoxTopLeftHandCorner, item.get("BoundingBoxAnnotationUnits")
    where = _in_image([(float(point[0]), float(point[1]))], str(units or "PIXEL"), area)
    return Graphic("text", where, str(item.get("UnformattedTextValue", ""))[:1000])


def _in_image(points: list[tuple[float, float]], units: str, area: Area | None) -> list[tuple[float, float]]:
    if units != "DISPLAY":
        return points
    if area is None:
        raise UnusableAnnotation("it is placed on a screen whose area is not said.")
    (left, top), (right, bottom) = area.top_left, area.bottom_right
    return [(left + x * (right - left), top + y * (bottom - top)) for x, y in points]
