"""HTTP face of what is computed of a series for showing it."""

import json
import re
from collections.abc import Iterator
from typing import Annotated, Literal

import numpy as np
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel
from starlette.responses import Response, StreamingResponse

from sightline.care import display
from sightline.kernel.errors import Invalid
from sightline.science import rendering
from sightline.trust.identity import Caller

router = APIRouter(prefix="/studies/{study_uid}/series/{series_uid}", tags=["display"])

BYTES = "application/octet-stream"
BRIEFLY = {"Cache-Control": "private, max-age=60", "Vary": "Accept, Accept-Encoding"}
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")

Uid = Annotated[str, Query(pattern=r"^[0-9.]{1,64}$", description="A SOP instance UID.")]
Look = Literal["bone", "vessels", "skin", "lung", "soft", "generic", "mip", "average"]


class BadNumbers(Invalid):
    """A parameter of several numbers does not hold as many as it must, separated by commas."""


class SliceView(BaseModel):
    """One image of the series, or one frame of it, from 1."""

    sop_uid: str
    frame: int


class SegmentView(BaseModel):
    """A segment: in `layer`, counted from 0, its voxels have the value `value` (both 0 until described)."""

    number: int
    label: str
    colour: str
    category: tuple[str, str, str]
    type: tuple[str, str, str]
    algorithm: str
    tracking_uid: str
    layer: int
    value: int


class RoiView(BaseModel):
    """A region of a structure set, and how many contours it has."""

    number: int
    name: str
    colour: str
    type: str
    contours: int


class OverlayView(BaseModel):
    """What lies over a series, or cannot: then `reason` says why. `unit` is UCUM, empty until described.

    `quantity` is the code, scheme and meaning of what a parametric map shows, where it says so.
    """

    uid: str
    series_uid: str
    form: display.Form
    kind: display.Kind
    quantity: tuple[str, str, str] | None
    label: str
    modality: str
    unit: str
    range: tuple[float, float] | None
    fractional: bool
    algorithm: str
    segments: list[SegmentView]
    rois: list[RoiView]
    description_url: str | None
    reason: str


class ContourView(BaseModel):
    """One contour; `sop_uid` is empty where it lies in no image of the series."""

    sop_uid: str
    frame: int
    closed: bool
    points_lps_mm: list[tuple[float, float, float]]


class DrawnRoiView(RoiView):
    """A region with its contours."""

    drawn: list[ContourView]


class DescriptionView(OverlayView):
    """An overlay as it lies over the series.

    `shape` is (layer, slice, row, column) of a labelmap and (slice, row, column) of values; the slices are
    those listed, in this order. Values are NaN where the overlay has none, labels 0. `drawn` are the regions
    of a structure set with their contours.
    """

    dtype: str
    shape: list[int]
    slices: list[SliceView]
    values_url: str | None
    method: str
    notes: list[str]
    drawn: list[DrawnRoiView]


@router.get("/plane", response_class=Response)
def get_plane(
    request: Request,
    study_uid: str,
    series_uid: str,
    caller: Caller,
    on: display.On,
    *,
    centre: Annotated[str, Query(description="x,y,z of the middle of the picture, LPS mm.")],
    right: Annotated[str, Query(description="x,y,z of the direction to the right.")],
    down: Annotated[str, Query(description="x,y,z of the direction down.")],
    mm_per_pixel: Annotated[float, Query(gt=0, le=1000)],
    columns: Annotated[int, Query(ge=1, le=rendering.MOST_PIXELS)] = 512,
    rows: Annotated[int, Query(ge=1, le=rendering.MOST_PIXELS)] = 512,
    slab_mm: Annotated[float, Query(ge=0, le=1e5)] = 0.0,
    projection: rendering.Projection = rendering.Projection.AVERAGE,
    window: Annotated[str | None, Query(description="Centre and width; else those of the series.")] = None,
) -> Response:
    """Cut a plane, or a slab, at any angle: a PNG, or the values for who accepts application/octet-stream."""
    plane = rendering.Plane.through(
        _triple(centre), _triple(right), _triple(down), mm_per_pixel=mm_per_pixel, columns=columns, rows=rows
    )
    asked = _pair(window) if window else None
    found = display.cut(on, study_uid, series_uid, plane, rendering.Slab(slab_mm, projection), by=caller)
    if BYTES in request.headers.get("accept", ""):
        return _values(found)
    return _png(display.draw(found, asked))


@router.get("/rendering", response_class=Response)
def get_rendering(
    study_uid: str,
    series_uid: str,
    caller: Caller,
    on: display.On,
    *,
    preset: Look = "mip",
    azimuth: Annotated[
        float, Query(ge=-3600, le=3600, description="0 from the front, 90 from the patient's left.")
    ] = 0.0,
    elevation: Annotated[float, Query(ge=-90, le=90, description="Degrees; 90 from the head.")] = 0.0,
    columns: Annotated[int, Query(ge=16, le=rendering.MOST_PIXELS)] = 512,
    rows: Annotated[int, Query(ge=16, le=rendering.MOST_PIXELS)] = 512,
    zoom: Annotated[float, Query(ge=0.1, le=20)] = 1.0,
    crop: Annotated[str | None, Query(description="x0,x1,y0,y1,z0,z1 in LPS mm.")] = None,
    cut: Annotated[str | None, Query(description="x,y,z,d: kept is where x,y,z · p ≥ d, LPS mm.")] = None,
) -> Response:
    """Draw the whole volume, seen from any side."""
    camera = rendering.Camera(azimuth, elevation, zoom, columns, rows)
    box, half = None, None
    if crop:
        x0, x1, y0, y1, z0, z1 = _numbers(crop, 6)
        box = rendering.Box((x0, y0, z0), (x1, y1, z1))
    if cut:
        x, y, z, distance = _numbers(cut, 4)
        half = rendering.HalfSpace((x, y, z), distance)
    return _png(display.render(on, study_uid, series_uid, preset, camera, crop=box, cut=half, by=caller))


@router.get("/surface", response_class=Response)
def get_surface(
    study_uid: str,
    series_uid: str,
    caller: Caller,
    on: display.On,
    *,
    threshold: Annotated[float, Query(description="In the unit of the series; not for a segment.")] = 200.0,
    segmentation: Uid | None = None,
    segment: Annotated[int, Query(ge=1, le=65535)] = 1,
    smoothing: Annotated[float, Query(ge=0, le=10, description="Gaussian, mm.")] = 0.0,
    max_triangles: Annotated[int, Query(ge=1000, le=rendering.MOST_TRIANGLES)] = 100_000,
) -> Response:
    """Give the surface of what lies above a threshold, or of a segment of a segmentation.

    uint32 points n, uint32 triangles m, float32 n x 3 points (LPS mm), float32 n x 3 normals, uint32 m x 3
    triangles, little endian.
    """
    how = display.Meshing(smoothing, max_triangles)
    if segmentation:
        found = display.find_segment_surface(on, study_uid, series_uid, segmentation, segment, how, by=caller)
    else:
        found = display.find_surface(on, study_uid, series_uid, threshold, how, by=caller)
    headers = {
        "Sightline-Volume-Mm3": f"{found.volume_mm3:.3f}",
        "Sightline-Area-Mm2": f"{found.area_mm2:.3f}",
        "Sightline-Full-Triangles": str(found.full_triangles),
    }
    return Response(_mesh(found), media_type=BYTES, headers={**BRIEFLY, **headers})


@router.get("/overlays")
def find_overlays(study_uid: str, series_uid: str, caller: Caller, on: display.On) -> list[OverlayView]:
    """List what of the study lies over this series, and what does not, with the reason."""
    found = display.find_overlays(on, study_uid, series_uid, by=caller)
    return [_overlay(overlay, study_uid, series_uid) for overlay in found]


@router.get("/overlays/{uid}", responses={200: {"model": DescriptionView}}, response_class=Response)
def describe_overlay(
    request: Request, study_uid: str, series_uid: str, uid: str, caller: Caller, on: display.On
) -> Response:
    """Describe an overlay as it lies over this series; contours are sent as they are written."""
    found = display.describe_overlay(on, study_uid, series_uid, uid, by=caller)
    encoding = display.choose_encoding(request.headers.get("accept-encoding", ""))
    chunks = display.packed(_description(found, study_uid, series_uid), encoding)
    return _streamed(chunks, encoding, "application/json", BRIEFLY)


@router.get("/overlays/{uid}/values", response_class=Response)
def get_overlay_values(
    request: Request,
    study_uid: str,
    series_uid: str,
    uid: str,
    caller: Caller,
    on: display.On,
    *,
    first: Annotated[int, Query(ge=0, description="First slice, from 0.")] = 0,
    count: Annotated[int | None, Query(ge=1, description="How many slices; else all.")] = None,
    reduce: Annotated[int, Query(ge=1, le=8, description="Every so many rows and columns.")] = 1,
) -> Response:
    """Give labels (uint8) or values (float32 little endian) on the slices of this series."""
    found = display.overlay_values(
        on,
        study_uid,
        series_uid,
        uid,
        first=first,
        count=count,
        reduce=reduce,
        accepted=request.headers.get("accept-encoding", ""),
        by=caller,
    )
    headers = {**BRIEFLY, **_facts(found.dtype, found.shape, found.unit)}
    return _streamed(found.chunks, found.encoding, BYTES, headers)


def _streamed(
    chunks: Iterator[bytes], encoding: str, media_type: str, headers: dict[str, str]
) -> StreamingResponse:
    packed = {"Content-Encoding": encoding} if encoding else {}
    return StreamingResponse(chunks, media_type=media_type, headers={**headers, **packed})


def _numbers(text: str, count: int) -> list[float]:
    parts = [part.strip() for part in text[:400].split(",")]
    if len(parts) != count or not all(_NUMBER.fullmatch(part) for part in parts):
        raise BadNumbers(f"A parameter needs {count} numbers separated by commas.")
    return [float(part) for part in parts]


def _triple(text: str) -> tuple[float, float, float]:
    x, y, z = _numbers(text, 3)
    return x, y, z


def _pair(text: str) -> tuple[float, float]:
    centre, width = _numbers(text, 2)
    return centre, width


def _png(picture: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> Response:
    import imagecodecs

    return Response(bytes(imagecodecs.png_encode(picture, level=1)), media_type="image/png", headers=BRIEFLY)


def _values(found: display.Cut) -> Response:
    """Return whole numbers where the series has such, else float32."""
    whole = found.view.volume.array.dtype == np.int16
    values = np.rint(found.values).astype("<i2") if whole else found.values.astype("<f4")
    headers = _facts("int16" if whole else "float32", values.shape, found.view.unit)
    headers |= {
        "Sightline-Rescale": "1,0",
        "Sightline-Background": f"{found.view.background:g}",
        "Sightline-Window": ",".join(f"{number:g}" for number in found.view.window),
    }
    return Response(values.tobytes(), media_type=BYTES, headers={**BRIEFLY, **headers})


def _facts(dtype: str, shape: tuple[int, ...], unit: str) -> dict[str, str]:
    told = re.sub(r"[^\x21-\x7e]", "", unit)[:64]  # a unit of the header may hold anything
    return {
        "Sightline-Dtype": dtype,
        "Sightline-Shape": ",".join(str(n) for n in shape),
        "Sightline-Unit": told or "1",
    }


def _mesh(surface: rendering.Surface) -> bytes:
    counts = np.array([len(surface.points), len(surface.triangles)], "<u4")
    floats = (array.astype("<f4").tobytes() for array in (surface.points, surface.normals))
    return b"".join((counts.tobytes(), *floats, surface.triangles.astype("<u4").tobytes()))


def _overlay(overlay: display.Overlay, study_uid: str, series_uid: str) -> OverlayView:
    return OverlayView(
        uid=overlay.uid,
        series_uid=overlay.series_uid,
        form=overlay.form,
        kind=overlay.kind,
        quantity=overlay.quantity,
        label=overlay.label,
        modality=overlay.modality,
        unit=overlay.unit,
        range=None,
        fractional=overlay.fractional,
        algorithm=overlay.algorithm,
        segments=[_segment(segment) for segment in overlay.segments],
        rois=[_roi(roi) for roi in overlay.rois],
        description_url=None if overlay.reason else _address(overlay, study_uid, series_uid),
        reason=overlay.reason,
    )


def _address(overlay: display.Overlay, study_uid: str, series_uid: str) -> str:
    return f"/api/studies/{study_uid}/series/{series_uid}/overlays/{overlay.uid}"


def _segment(segment: display.Segment) -> SegmentView:
    return SegmentView(**{name: getattr(segment, name) for name in SegmentView.model_fields})


def _roi(roi: display.Roi) -> RoiView:
    return RoiView(**{name: getattr(roi, name) for name in RoiView.model_fields})


def _description(found: display.Described, study_uid: str, series_uid: str) -> Iterator[bytes]:
    """Yield a `DescriptionView` as JSON, a contour at a time: all of them may be a hundred megabytes."""
    overlay = found.overlay
    told = _overlay(overlay, study_uid, series_uid).model_dump() | {
        "unit": found.unit or overlay.unit,
        "range": found.range,
        "segments": [_segment(segment).model_dump() for segment in found.segments],
        "dtype": found.dtype,
        "shape": found.shape,
        "slices": [{"sop_uid": plane.sop_uid, "frame": plane.frame} for plane in found.slices.planes],
        "values_url": f"{_address(overlay, study_uid, series_uid)}/values" if found.dtype else None,
        "method": found.method,
        "notes": found.notes,
    }
    yield json.dumps(told, ensure_ascii=False)[:-1].encode("utf-8", "replace") + b', "drawn": ['
    for number, (roi, contours) in enumerate(found.contours):
        head = json.dumps(_roi(roi).model_dump(), ensure_ascii=False)[:-1].encode("utf-8", "replace")
        yield (b", " if number else b"") + head + b', "drawn": ['
        for index, contour in enumerate(contours):
            yield (b", " if index else b"") + _contour(contour)
        yield b"]}"
    yield b"]}"


def _contour(contour: display.Contour) -> bytes:
    return json.dumps(
        {
            "sop_uid": contour.sop_uid,
            "frame": contour.frame,
            "closed": contour.closed,
            "points_lps_mm": np.round(contour.points_lps_mm, 3).tolist(),
        }
    ).encode()
