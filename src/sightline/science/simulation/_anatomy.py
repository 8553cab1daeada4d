"""A chest by formula: signed distances and tissue values in reference space (LPS mm, head up).

Every shape is evaluated at scan voxels mapped into reference space, so that no voxel grid of the reference
exists and no interpolation blurs it. Distances are negative inside.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

F32 = npt.NDArray[np.float32]

AIR, LUNG, FAT, MUSCLE, BLOOD, LIVER, MARROW, CORTEX = -1000.0, -868.0, -100.0, 52.0, 44.0, 62.0, 170.0, 620.0


@dataclass(frozen=True, slots=True)
class Build:
    """What makes one simulated person differ from another; lengths in mm."""

    half_width: float
    half_depth: float
    lung_top: float
    dome: float
    heart: float
    rib_phase: float
    mediastinum: float

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> "Build":
        """Return a build drawn at random within the normal range."""
        return cls(
            half_width=float(rng.uniform(150, 160)),
            half_depth=float(rng.uniform(102, 112)),
            lung_top=float(rng.uniform(104, 112)),
            dome=float(rng.uniform(-68, -56)),
            heart=float(rng.uniform(0.92, 1.08)),
            rib_phase=float(rng.uniform(0, 22)),
            mediastinum=float(rng.uniform(22, 27)),
        )


def ellipsoid(
    p: tuple[F32, F32, F32], centre: tuple[float, float, float], radii: tuple[float, float, float]
) -> F32:
    """Return the approximate signed distance (mm) to an ellipsoid."""
    x, y, z = ((q - c) / r for q, c, r in zip(p, centre, radii, strict=True))
    return np.asarray((np.sqrt(x * x + y * y + z * z) - 1.0) * np.float32(min(radii)), dtype=np.float32)


def _most(*parts: npt.NDArray[Any]) -> F32:
    return np.asarray(np.maximum.reduce(list(parts)), dtype=np.float32)


def _least(*parts: npt.NDArray[Any]) -> F32:
    return np.asarray(np.minimum.reduce(list(parts)), dtype=np.float32)


def paint(
    image: F32, distance: npt.NDArray[Any], hu: float | npt.NDArray[Any], *, edge_mm: float = 1.2
) -> None:
    """Lay tissue over the image in place; the edge is a ramp `edge_mm` wide, as partial volume makes it."""
    cover = np.clip(0.5 - distance / np.float32(edge_mm), 0.0, 1.0)
    image += cover * (hu - image)


def cage(p: tuple[F32, F32, F32], build: Build) -> F32:
    """Return the signed distance (mm) to the inner surface of the rib cage, narrowing to the apex."""
    x, y, z = p
    high = np.clip((z - 0.0) / (build.lung_top + 12.0), 0.0, 1.0)
    narrow = np.sqrt(np.clip(1.0 - high**3.2, 0.02, 1.0)).astype(np.float32)
    a = (build.half_width - 34.0) * narrow
    b = (build.half_depth - 26.0) * np.sqrt(narrow)
    radius = (np.abs(x / a) ** 2.3 + np.abs(y / b) ** 2.3) ** np.float32(1 / 2.3)
    return np.asarray((radius - 1.0) * np.minimum(a, b), dtype=np.float32)


def diaphragm(p: tuple[F32, F32, F32], build: Build) -> F32:
    """Return the height (mm) above the diaphragm: two domes, falling steeply to the back."""
    x, y, z = p
    right = (build.dome + 6.0) - ((x + 70.0) / 62.0) ** 2 * 34.0
    left = (build.dome - 6.0) - ((x - 72.0) / 58.0) ** 2 * 34.0
    fall = 42.0 * np.clip((y - 5.0) / 60.0, 0.0, 1.6) ** 2 + 10.0 * np.clip(-(y + 35.0) / 40.0, 0.0, 1.5) ** 2
    return np.asarray(z - (np.maximum(right, left) - fall), dtype=np.float32)


def mediastinum(p: tuple[F32, F32, F32], build: Build) -> F32:
    """Return the signed distance (mm) to the block between the lungs: heart, great vessels, spine."""
    x, y, z = p
    width = build.mediastinum + 5.0 * np.sin(z / 30.0) + 7.0 * np.exp(-(((y - 52.0) / 22.0) ** 2))
    width = width - 12.0 * np.exp(-(((y + 62.0) / 26.0) ** 2))  # the lungs nearly meet in front
    width = width + 6.0 * np.exp(-(((z - 38.0) / 22.0) ** 2) - ((y + 5.0) / 40.0) ** 2)
    block = np.abs(x - 2.0) - width
    heart = heart_distance(p, build)
    aorta = np.hypot(x - 24.0, y - 48.0) - 14.0
    spine = np.hypot(x, (y - 72.0) * 0.9) - 25.0
    return _least(block, heart - 4.0, aorta - 2.0, spine)


def heart_distance(p: tuple[F32, F32, F32], build: Build) -> F32:
    """Return the signed distance (mm) to the heart."""
    h = build.heart
    main = ellipsoid(p, (24.0, -28.0, -38.0), (50.0 * h, 40.0 * h, 50.0 * h))
    right = ellipsoid(p, (-16.0, -26.0, -34.0), (34.0 * h, 34.0 * h, 42.0 * h))
    return np.minimum(main, right)


def lungs(p: tuple[F32, F32, F32], build: Build) -> F32:
    """Return the signed distance (mm) to both lungs."""
    return _most(cage(p, build) + 3.0, -diaphragm(p, build), -mediastinum(p, build))


def render(p: tuple[F32, F32, F32], build: Build, phase: F32) -> tuple[F32, F32]:
    """Return the image (HU) without vessels and nodules, and the distance to the lungs.

    `phase` is a smooth random field of unit variance that makes fat and lung less even. Read from top to
    bottom: what is painted later lies over what is painted before.
    """
    x, y, _z = p
    image = np.full(x.shape, AIR, dtype=np.float32)
    body = _body(p, build)
    paint(image, body, 30.0, edge_mm=1.5)  # skin
    paint(image, body + 2.2, FAT + 8.0 * phase)
    wall = cage(p, build) - 19.0 - 4.0 * np.cos(2.0 * np.arctan2(y, x))
    paint(image, np.maximum(wall, body + 7.0), MUSCLE + 6.0 * phase)
    _paint_muscle_planes(image, p, build, phase)
    inner = cage(p, build)
    paint(image, inner - 1.5, FAT + 30.0)  # extrapleural fat stripe
    paint(image, inner, FAT + 8.0 * phase)
    below = np.maximum(diaphragm(p, build), inner + 1.0)
    _paint_abdomen(image, p, below, phase)
    _paint_bones(image, p, build)
    _paint_mediastinum(image, p, build, phase)
    lung = lungs(p, build)
    gravity = np.clip(y, -90.0, 90.0) * np.float32(0.38)
    paint(image, lung, LUNG + gravity + 14.0 * phase)
    _paint_fissures(image, p, lung)
    return image, lung


def _body(p: tuple[F32, F32, F32], build: Build) -> F32:
    x, y, z = p
    shoulders = np.clip((z - 40.0) / 90.0, 0.0, 1.0)
    a = build.half_width + 6.0 * shoulders
    b = build.half_depth - 14.0 * shoulders
    radius = (np.abs(x / a) ** 2.6 + np.abs((y - 3.0) / b) ** 2.4) ** np.float32(1 / 2.5)
    return np.asarray((radius - 1.0) * b, dtype=np.float32)


def _paint_muscle_planes(image: F32, p: tuple[F32, F32, F32], build: Build, phase: F32) -> None:
    """Fat between chest-wall muscles, the erector group beside the spine and the pectorals in front."""
    x, _y, _z = p
    layer = np.abs(cage(p, build) - 11.0 - 1.5 * phase) - 0.9
    paint(image, layer, FAT + 40.0)
    for side in (-1.0, 1.0):
        paint(image, ellipsoid(p, (side * 27.0, 94.0, 0.0), (21.0, 10.0, 4000.0)), MUSCLE + 5.0 * phase)
    pectoral = ellipsoid(p, (0.0, -build.half_depth + 20.0, 62.0), (110.0, 9.0, 55.0))
    paint(image, _most(pectoral, 12.0 - np.abs(x), _body(p, build) + 5.0), MUSCLE + 5.0 * phase)


def _paint_abdomen(image: F32, p: tuple[F32, F32, F32], below: F32, phase: F32) -> None:
    _x, y, _z = p
    paint(image, below, FAT)
    liver = np.maximum(below + 3.5, ellipsoid(p, (-52.0, 2.0, -104.0), (92.0, 86.0, 62.0)))
    paint(image, liver, LIVER + 3.0 * phase)
    spleen = np.maximum(below + 3.5, ellipsoid(p, (88.0, 42.0, -108.0), (34.0, 46.0, 44.0)))
    paint(image, spleen, 50.0 + 3.0 * phase)
    stomach = np.maximum(below + 4.0, ellipsoid(p, (52.0, -22.0, -106.0), (44.0, 42.0, 38.0)))
    paint(image, stomach, 28.0 + 6.0 * phase)
    gas = np.maximum(stomach + 5.0, y + 34.0)  # gas lies in front when the patient lies on the back
    paint(image, gas, -985.0)


def _paint_bones(image: F32, p: tuple[F32, F32, F32], build: Build) -> None:
    x, y, z = p
    wall = cage(p, build)
    slope = z - 0.42 * y + 0.10 * np.abs(x)  # ribs fall to the front
    along = np.mod(slope + build.rib_phase, 23.0) - 11.5
    front = np.clip((-y - 52.0) / 20.0, 0.0, 1.0)  # cartilage in front
    rib = np.sqrt(((wall - 6.0) / 4.2) ** 2 + (along / 5.4) ** 2)
    rib_mm = np.maximum((rib - 1.0) * 4.2, 14.0 - np.abs(x))
    paint(image, rib_mm, (1.0 - front) * CORTEX + front * 130.0)
    paint(image, rib_mm + 1.7, (1.0 - front) * (MARROW + 40.0) + front * 100.0)
    _paint_spine(image, p)
    sternum = np.maximum(
        ellipsoid(p, (0.0, -build.half_depth + 22.0, 10.0), (19.0, 6.0, 90.0)), np.abs(z - 10.0) - 85.0
    )
    paint(image, sternum, 380.0)
    paint(image, sternum + 1.8, 130.0)
    for side in (-1.0, 1.0):
        blade_x, blade_y = side * x - 96.0, y - 66.0
        across = (blade_x * 0.66 + blade_y * 0.75) - 0.012 * (blade_x * 0.75 - blade_y * 0.66) ** 2
        along_blade = blade_x * 0.75 - blade_y * 0.66
        blade = np.maximum.reduce(
            [
                np.abs(across) - 3.4,
                np.abs(along_blade) - 34.0 + 0.25 * np.abs(z - 52.0),
                np.abs(z - 52.0) - 62.0,
            ]
        )
        paint(image, blade, 480.0)
        paint(image, blade + 1.8, 190.0)


def _paint_spine(image: F32, p: tuple[F32, F32, F32]) -> None:
    x, y, z = p
    disc = np.abs(np.mod(z + 4.0, 25.0) - 12.5) - 9.6  # positive within a disc
    waist = 1.2 * np.cos(2 * np.pi * (z + 4.0) / 25.0)
    body = np.hypot(x / 1.12, y - 68.0) - (15.5 + waist)
    body = np.maximum(body, y - 80.0)
    paint(image, body, 85.0)
    bone = np.maximum(body, disc)
    paint(image, bone, 430.0)
    paint(image, bone + 1.6, MARROW)
    arch = np.maximum(np.abs(np.hypot(x, y - 89.0) - 11.5) - 2.8, 72.0 - y)
    paint(image, arch, 420.0)
    paint(image, np.hypot(x, y - 89.0) - 8.5, 22.0)  # canal
    paint(image, np.hypot(x, y - 89.0) - 5.0, 42.0)  # cord
    process = np.maximum.reduce([np.abs(x) - 3.2, np.abs(y - 106.0) - 8.0, disc - 2.0])
    paint(image, process, 380.0)
    for side in (-1.0, 1.0):
        transverse = np.hypot(z % 25.0 - 12.5, y - 88.0 - 0.25 * (side * x - 20.0)) - 4.5
        paint(image, np.maximum(transverse, np.abs(side * x - 24.0) - 14.0), 340.0)


def _paint_mediastinum(image: F32, p: tuple[F32, F32, F32], build: Build, phase: F32) -> None:
    x, y, z = p
    heart = heart_distance(p, build)
    paint(image, heart - 4.0, FAT + 6.0 * phase)
    paint(image, heart, BLOOD + 3.0 * phase)
    septum = np.abs(x * 0.8 + (y + 28.0) * 0.6 - 6.0) - 4.0
    paint(image, np.maximum(septum, heart + 6.0), BLOOD + 14.0)
    descending = np.maximum(np.hypot(x - 24.0, y - 48.0) - 12.5, z - 46.0)
    ascending = np.maximum.reduce([np.hypot(x + 10.0, y + 20.0) - 15.5, z - 46.0, -10.0 - z])
    chord = (y + 20.0) / 68.0  # arch from ascending to descending
    arch = np.hypot(x - (-10.0 + 34.0 * np.clip(chord, 0, 1)), (z - 46.0)) - 12.5
    arch = np.maximum(arch, np.maximum(-28.0 - y, y - 58.0))
    cava = np.maximum(np.hypot(x + 26.0, y + 12.0) - 9.0, -z)
    trunk = np.hypot(y + 14.0 - 0.15 * x, z - 14.0) - 12.0
    trunk = np.maximum(trunk, np.abs(x - 4.0) - 38.0)
    for vessel in (descending, ascending, arch, cava, trunk):
        paint(image, vessel, BLOOD + 2.0 * phase)
    for cx, cy, r in ((-22.0, -22.0, 6.5), (-8.0, -8.0, 6.0), (12.0, 2.0, 5.0), (24.0, 8.0, 5.0)):
        paint(image, np.maximum(np.hypot(x - cx, y - cy) - r, 56.0 - z), BLOOD)
    paint(image, np.hypot(x - 8.0, y - 38.0) - 6.5, 38.0)  # oesophagus
    paint(image, np.hypot(x - 8.0, y - 37.0) - 1.6, -300.0)


def _paint_fissures(image: F32, p: tuple[F32, F32, F32], lung: F32) -> None:
    x, y, z = p
    oblique = np.abs(z * 0.62 - y * 0.78 - 4.0 + 0.002 * x * x) - 0.35
    inside = np.maximum(oblique, lung + 1.0)
    image += np.clip(0.5 - inside / 1.6, 0.0, 1.0) * np.float32(95.0)
    minor = np.abs(z - 12.0 - 0.05 * y) - 0.3
    minor = np.maximum.reduce([minor, lung + 1.0, x + 20.0, z * 0.62 - y * 0.78 - 200.0, y - 14.0])
    image += np.clip(0.5 - minor / 1.6, 0.0, 1.0) * np.float32(80.0)
