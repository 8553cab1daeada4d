"""What a model is, and the two files by which it answers.

A model gets a folder of DICOM files of one series and an empty folder. It writes ``findings.json`` (the
lesions it proposes) and, for those it segmented, ``masks.npz`` (one boolean array a lesion, in the series'
volume order). Both are data; nothing a model writes is ever executed.
"""

import json
import math
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sightline.kernel.errors import Invalid
from sightline.kernel.quantities import Quantity
from sightline.kernel.texts import one_line
from sightline.runtime.plugins import PlugPoint

MAX_LESIONS = 500
MAX_JSON_BYTES = 16 * 2**20
SIZES = frozenset({"volume", "long_axis", "short_axis"})
MAX_MASK_BYTES = 512 * 2**20
# What a file that is not of the stated form can make the parsers raise.
MALFORMED = (
    ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError, MemoryError,
    OSError, EOFError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip

Point = tuple[float, float, float]
Polygon = tuple[Point, ...]


class UnusableOutput(Invalid):
    """The model's files are not what a model may write; report it to the model's maker."""


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What must be known of a model before it may see a patient."""

    title: str
    version: str
    intended_use: str
    not_for: str
    modality: str
    method: str
    evidence: str
    licence: str
    weights_sha256: str
    regulatory_status: str = "research only"


@dataclass(frozen=True, slots=True)
class Model:
    """A model as plugged in: a card to govern it by, parameters, a function to run in its own process."""

    card: ModelCard
    run: Callable[[Path, Path, Mapping[str, Any]], None]
    parameters: Mapping[str, Any] = field(default_factory=dict)


models: PlugPoint[Model] = PlugPoint("sightline.models", Model)


@dataclass(frozen=True, slots=True)
class ProposedLesion:
    """One lesion as a model proposes it; coordinates LPS in mm.

    `values` are keyed ``volume``, ``long_axis``, ``short_axis``, ``mean_hu``; `outline` holds, by
    SOP Instance UID, the z of the slice and its contours.
    """

    kind: str
    label: str
    sop_uid: str
    centre_lps_mm: Point
    values: dict[str, Quantity]
    why: str
    laterality: str | None = None
    score: float | None = None
    long_axis_lps_mm: tuple[Point, Point] | None = None
    short_axis_lps_mm: tuple[Point, Point] | None = None
    outline: tuple[tuple[str, float, tuple[Polygon, ...]], ...] = ()
    offset_zyx: tuple[int, int, int] | None = None


@dataclass(frozen=True, slots=True)
class ModelOutput:
    """Everything a run proposes: lesions, their masks (bounding boxes) and remarks for the reader."""

    lesions: tuple[ProposedLesion, ...]
    masks: tuple[npt.NDArray[np.bool_] | None, ...]
    frame_of_reference_uid: str
    remarks: tuple[str, ...] = ()


def write_output(
    folder: Path,
    lesions: Sequence[ProposedLesion],
    masks: Sequence[npt.NDArray[np.bool_] | None],
    *,
    frame_of_reference_uid: str,
    remarks: Sequence[str] = (),
) -> None:
    """Write the two files of a model's answer into `folder`."""
    document = {
        "frame_of_reference_uid": frame_of_reference_uid,
        "lesions": [asdict(lesion) for lesion in lesions],
        "remarks": list(remarks),
    }
    (folder / "findings.json").write_text(json.dumps(document))
    arrays = {f"mask{i}": mask for i, mask in enumerate(masks) if mask is not None}
    np.savez_compressed(folder / "masks.npz", **arrays)  # type: ignore[arg-type]


def read_output(folder: Path) -> ModelOutput:
    """Read and check the two files of a model's answer.

    Raises
    ------
    UnusableOutput
        If a file is missing, too large, or does not have the stated form.
    """
    path = folder / "findings.json"
    if path.is_symlink() or not path.is_file() or path.stat().st_size > MAX_JSON_BYTES:
        raise UnusableOutput("The model wrote no usable findings.json.")
    try:
        document = json.loads(path.read_text())
        lesions = tuple(_lesion(item) for item in document["lesions"])
        frame = str(document["frame_of_reference_uid"])[:64]
        remarks = tuple(one_line(str(remark))[:500] for remark in document.get("remarks", ()))
    except MALFORMED as cause:
        raise UnusableOutput("The model's findings.json does not have the stated form.") from cause
    if len(lesions) > MAX_LESIONS:
        raise UnusableOutput(f"The model proposed {len(lesions)} lesions; at most {MAX_LESIONS} are read.")
    return ModelOutput(lesions, _masks(folder / "masks.npz", len(lesions)), frame, remarks)


def _masks(path: Path, count: int) -> tuple[npt.NDArray[np.bool_] | None, ...]:
    if path.is_symlink() or not path.is_file():
        return (None,) * count
    try:
        with zipfile.ZipFile(path) as packed:
            if sum(member.file_size for member in packed.infolist()) > MAX_MASK_BYTES:
                raise UnusableOutput("The model's masks.npz is too large to be read.")
        with np.load(path, allow_pickle=False) as file:
            held = {name: np.asarray(file[name], dtype=bool) for name in file.files}
    except MALFORMED as cause:
        raise UnusableOutput("The model's masks.npz cannot be read.") from cause
    if any(mask.ndim != 3 for mask in held.values()):
        raise UnusableOutput("A mask in the model's masks.npz is not a volume (z, y, x).")
    return tuple(held.get(f"mask{i}") for i in range(count))


def _lesion(item: Mapping[str, Any]) -> ProposedLesion:
    outline = tuple(
        (str(uid)[:64], _finite(z), tuple(tuple(_point(p) for p in polygon) for polygon in polygons))
        for uid, z, polygons in item["outline"]
    )
    offset = item.get("offset_zyx")
    return ProposedLesion(
        kind=str(item["kind"])[:64],
        label=one_line(str(item["label"]))[:200],
        sop_uid=str(item["sop_uid"])[:64],
        centre_lps_mm=_point(item["centre_lps_mm"]),
        values={str(name): _quantity(name, value) for name, value in item["values"].items()},
        why=one_line(str(item["why"]))[:500],
        laterality=_side(item.get("laterality")),
        score=None if item.get("score") is None else _finite(item["score"]),
        long_axis_lps_mm=_axis(item.get("long_axis_lps_mm")),
        short_axis_lps_mm=_axis(item.get("short_axis_lps_mm")),
        outline=outline,
        offset_zyx=(int(offset[0]), int(offset[1]), int(offset[2])) if offset else None,
    )


def _quantity(name: str, value: Mapping[str, Any]) -> Quantity:
    number = _finite(value["value"])
    if name in SIZES and number <= 0:
        raise ValueError("a size is not positive")
    low, high = (None if value.get(end) is None else _finite(value[end]) for end in ("low", "high"))
    return Quantity(number, str(value["unit"])[:32], str(value["method"])[:200], low, high)


def _side(value: Any) -> str | None:
    if value not in (None, "R", "L"):
        raise ValueError("a side is neither R nor L")
    return None if value is None else str(value)


def _finite(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError("a number is not finite")
    return number


def _point(values: Sequence[float]) -> Point:
    x, y, z = (_finite(v) for v in values)
    return (x, y, z)


def _axis(points: Sequence[Sequence[float]] | None) -> tuple[Point, Point] | None:
    return (_point(points[0]), _point(points[1])) if points else None
