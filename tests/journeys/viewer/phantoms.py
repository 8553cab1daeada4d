"""Generated studies of which everything is known: where each rod lies, how a series is laid, what is wrong.

All are computed from positions in the patient (LPS, mm), so a view that shows them at another place is wrong.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    CTImageStorage,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    XRayAngiographicImageStorage,
)
from scipy import ndimage

Array = NDArray[np.float64]
Values = Callable[[Array, Array, Array], Array]
Vector = tuple[float, float, float]

ROOT = "1.2.826.0.1.3680043.8.498.77"
AXIAL = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
SIGMA_MM = 2.0
# Rods run along one axis; each tuple holds the two others in mm. No pattern is its own mirror image.
ALONG_Z = ((-35.0, -15.0), (35.0, -15.0), (-35.0, 15.0), (20.0, 15.0))  # x, y: seen in an axial plane
ALONG_X = ((-15.0, -22.0), (15.0, -22.0), (-15.0, 22.0), (8.0, 22.0))  # y, z: seen in a sagittal plane
ALONG_Y = ((-25.0, -14.0), (25.0, -14.0), (-25.0, 14.0), (12.0, 14.0))  # x, z: seen in a coronal plane
BLOCK_HU, STRIPES_HU, BLOCKS_Z = 300, (100, 140), 40.0
DETECTOR_MM = 0.5
PICTURE_MM, MOVED_MM = 1.5, (12.0, -9.0)
"""Of the radiographs over time: their pixels, and where what is at a place now was then (x, y)."""
DRAWN_SQUARE = (slice(10, 20), slice(6, 30))
OF_THE_PATIENT = (
    "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "FrameOfReferenceUID",
    "PositionReferenceIndicator", "PatientPosition", "SliceThickness", "RescaleType",
)  # fmt: skip


@dataclass(frozen=True)
class Grid:
    """How a series lies: directions, spacing in mm (row, column, slice), pixels and slices."""

    row: Vector = AXIAL[0]
    column: Vector = AXIAL[1]
    spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)
    size: tuple[int, int, int] = (48, 48, 5)

    def places(self) -> Iterator[Array]:
        """Yield the position of the first pixel of each slice, the grid's middle being at the origin."""
        rows, columns, slices = self.size
        row, column = np.asarray(self.row), np.asarray(self.column)
        normal = np.cross(row, column)
        corner = -(columns - 1) / 2 * self.spacing[1] * row - (rows - 1) / 2 * self.spacing[0] * column
        for k in range(slices):
            yield corner + (k - (slices - 1) / 2) * self.spacing[2] * normal


ANISOTROPIC = Grid(spacing=(0.5, 0.8, 1.7), size=(96, 128, 61))
ISOTROPIC = Grid(spacing=(1.0, 1.0, 1.0), size=(49, 103, 105))


def rods(x: Array, y: Array, z: Array) -> Array:
    """Return 0 HU, soft rods of 1000 HU along the axes, and blocks of known values low in the volume."""
    value = np.zeros(np.broadcast(x, y, z).shape)
    for (u, v), centres in (((x, y), ALONG_Z), ((y, z), ALONG_X), ((x, z), ALONG_Y)):
        for a, b in centres:
            value = value + 1000 * np.exp(-((u - a) ** 2 + (v - b) ** 2) / (2 * SIGMA_MM**2))
    blocks = (np.abs(z + BLOCKS_Z) < 5) & (np.abs(y) < 11) & (np.abs(x) < 30)
    stripes = np.where(np.floor(np.round(x / 0.8 - 0.5, 3)) % 2 == 0, *STRIPES_HU)
    return np.where(blocks, np.where(x < 0, BLOCK_HU, stripes), value)


def ball(x: Array, y: Array, z: Array) -> Array:
    """Return a bright ball to the left and front of a body of water: no view is like its mirror image."""
    body = np.where((x / 22) ** 2 + (y / 18) ** 2 < 1, 0.0, -1000.0)
    near = (x - 10) ** 2 + (y + 8) ** 2 + (z / 4) ** 2 < 36
    return np.where(near, 1000.0, body)


def series(
    study: str,
    number: int,
    grid: Grid,
    values: Values = ball,
    *,
    description: str,
    places: list[Array] | None = None,
    **overrides: object,
) -> list[Dataset]:
    """Return the CT images of one series, sampled where its grid lies, or at other places."""
    return [
        _image(study, number, k, place, grid, values, description, overrides)
        for k, place in enumerate(places or list(grid.places()), 1)
    ]


def _image(
    study: str, number: int, k: int, place: Array, grid: Grid, values: Values, description: str,
    overrides: dict[str, object],
) -> Dataset:  # fmt: skip
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SpecificCharacterSet, ds.SOPClassUID = "ISO_IR 192", CTImageStorage
    ds.StudyInstanceUID, ds.SeriesInstanceUID = study, f"{study}.{number}"
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"{study}.{number}.{k}"
    ds.file_meta.MediaStorageSOPClassUID = CTImageStorage
    ds.PatientName, ds.PatientID = "Phantom^Viewer", f"PH-{study.rsplit('.', 1)[-1]}"
    ds.PatientBirthDate, ds.PatientSex = "19700101", "O"
    ds.StudyDate, ds.StudyTime, ds.AccessionNumber, ds.StudyID = "20260105", "101500", "", "1"
    ds.StudyDescription, ds.SeriesDescription, ds.ImageComments = "Phantom", description, "SIMULATED"
    ds.Modality, ds.SeriesNumber, ds.InstanceNumber, ds.PatientPosition = "CT", number, k, "HFS"
    ds.FrameOfReferenceUID, ds.PositionReferenceIndicator = f"{study}.{number}.0", ""
    ds.ImagePositionPatient = [f"{v:.6g}" for v in place]
    ds.ImageOrientationPatient = [*grid.row, *grid.column]
    ds.PixelSpacing, ds.SliceThickness = list(grid.spacing[:2]), grid.spacing[2]
    ds.ImageType = ["DERIVED", "SECONDARY", "AXIAL"]
    ds.Rows, ds.Columns, ds.SamplesPerPixel = grid.size[0], grid.size[1], 1
    ds.PhotometricInterpretation = "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = 0, 1, "HU"
    ds.WindowCenter, ds.WindowWidth = 500, 1400
    for name, value in overrides.items():
        setattr(ds, name, value)
    ds.PixelData = np.round(_sampled(place, grid, values)).astype("<i2").tobytes()
    return ds


def _sampled(place: Array, grid: Grid, values: Values) -> Array:
    rows, columns, _ = grid.size
    down = np.arange(rows)[:, None, None] * grid.spacing[0] * np.asarray(grid.column)
    along = np.arange(columns)[None, :, None] * grid.spacing[1] * np.asarray(grid.row)
    points = place + down + along
    return values(points[..., 0], points[..., 1], points[..., 2])


RODS, RODS_ISOTROPIC, TRAPS, PATIENT_POSITIONS, RADIOGRAPHS, DRAWN_IN, FILM, FILM_NOW, FILM_THEN = (
    f"{ROOT}.{n}" for n in range(1, 10)
)

# Directions of rows and columns as scanners write them, by how the patient lies (PS3.3 C.7.3.1.1.2).
POSITIONS: dict[str, tuple[Vector, Vector]] = {
    "HFS": ((1, 0, 0), (0, 1, 0)),
    "HFP": ((-1, 0, 0), (0, -1, 0)),
    "FFS": ((-1, 0, 0), (0, 1, 0)),
    "FFP": ((1, 0, 0), (0, -1, 0)),
    "HFDL": ((0, -1, 0), (1, 0, 0)),
    "HFDR": ((0, 1, 0), (-1, 0, 0)),
}


def _moved(change: Callable[[int, Array], Array]) -> list[Array]:
    return [change(k, place) for k, place in enumerate(Grid().places())]


def _mixed(study: str, number: int) -> list[Dataset]:
    turned = Grid(row=(0, 1, 0), column=(0, 0, -1))
    both = series(study, number, Grid(), description="mixed")[:3]
    both += series(study, number, turned, description="mixed")[:3]
    for k, ds in enumerate(both, 1):
        ds.InstanceNumber = k
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"{study}.{number}.{k}"
    return both


def traps(study: str = TRAPS) -> dict[str, list[Dataset]]:
    """Return the series that are no volume, by the trap each lays, in the order of their numbers."""
    missing = [p for k, p in enumerate(Grid(size=(48, 48, 8)).places()) if k != 3]
    twice = _moved(lambda k, p: p if k != 2 else p - [0, 0, 1])
    uneven = _moved(lambda k, p: p + np.array([0, 0, 0.2 * k * k]))
    tilted = _moved(lambda k, p: p + np.array([0, 0.4 * k, 0]))
    middle = list(Grid().places())[2:3]
    return {
        "gap": series(study, 1, Grid(), description="gap", places=missing),
        "duplicate": series(study, 2, Grid(), description="duplicate", places=twice),
        "varying": series(study, 3, Grid(), description="varying", places=uneven),
        "tilt": series(study, 4, Grid(), description="tilt", places=tilted),
        "single": series(study, 5, Grid(), description="single", places=middle),
        "mixed": _mixed(study, 6),
    }


def lying(study: str = PATIENT_POSITIONS) -> dict[str, list[Dataset]]:
    """Return one series of each position of the patient, in the order of `POSITIONS`."""
    return {
        name: series(study, n, Grid(row, column), description=name, PatientPosition=name)
        for n, (name, (row, column)) in enumerate(POSITIONS.items(), 1)
    }


def radiographs(study: str = RADIOGRAPHS) -> list[Dataset]:
    """Return two radiographs: one says nothing of its pixels, the other how far its detector's are apart."""
    grid = Grid(spacing=(DETECTOR_MM, DETECTOR_MM, 1.0), size=(96, 160, 2))
    objects = series(study, 1, grid, rods, description="radiographs", Modality="CR")
    for ds in objects:
        ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = ComputedRadiographyImageStorage
        for name in OF_THE_PATIENT:
            delattr(ds, name)
    objects[1].ImagerPixelSpacing = [DETECTOR_MM, DETECTOR_MM]
    return objects


def radiographs_over_time(now: str = FILM_NOW, then: str = FILM_THEN) -> list[Dataset]:
    """Return two radiographs of one patient: soft shapes with edges, moved by `MOVED_MM` since."""
    field = ndimage.gaussian_filter(np.random.default_rng(1).standard_normal((260, 260)), 7)
    shapes = 100 * np.digitize(field, np.quantile(field, (0.2, 0.4, 0.6, 0.8)))
    right, down = (round(mm / PICTURE_MM) for mm in MOVED_MM)
    objects = []
    for study, date, (x, y) in ((then, "20250704", (30, 30)), (now, "20260105", (30 + right, 30 + down))):
        [ds] = series(study, 1, Grid(size=(200, 200, 1)), description="PA", Modality="DX", ViewPosition="PA",
                      PatientID="PH-films", StudyDescription="XR chest", StudyDate=date)  # fmt: skip
        ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
        for name in OF_THE_PATIENT:
            delattr(ds, name)
        ds.ImagerPixelSpacing = [PICTURE_MM, PICTURE_MM]
        ds.WindowCenter, ds.WindowWidth = 200, 401
        ds.PixelData = shapes[y : y + 200, x : x + 200].astype("<i2").tobytes()
        objects.append(ds)
    return objects


def film(study: str = FILM) -> list[Dataset]:
    """Return an angiographic run of three frames that says nothing of its pixels."""
    grid = Grid(spacing=(DETECTOR_MM, DETECTOR_MM, 1.0), size=(96, 160, 1))
    objects = series(study, 1, grid, rods, description="run", Modality="XA")
    for ds in objects:
        ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = XRayAngiographicImageStorage
        for name in OF_THE_PATIENT:
            delattr(ds, name)
        ds.NumberOfFrames, ds.FrameTime = 3, 100
        ds.PixelData = 3 * ds.PixelData
    return objects


def drawn_in(study: str = DRAWN_IN) -> list[Dataset]:
    """Return an image of 12 bits with a square in bit 15: an overlay embedded in its pixels (retired)."""
    objects = series(study, 1, Grid(size=(48, 48, 1)), description="overlay in the pixels")
    for ds in objects:
        words = np.frombuffer(ds.PixelData, "<u2").reshape(48, 48) & 0x0FFF
        words[DRAWN_SQUARE] |= 0x8000
        ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 12, 11, 0
        ds.PixelData = words.astype("<u2").tobytes()
        for element, vr, value in (
            (0x0010, "US", 48), (0x0011, "US", 48), (0x0040, "CS", "G"), (0x0050, "SS", [1, 1]),
            (0x0100, "US", 16), (0x0102, "US", 15),
        ):  # fmt: skip
            ds.add_new((0x6000, element), vr, value)
    return objects


def write_all(folder: Path) -> None:
    """Write every phantom into a folder."""
    objects = series(RODS, 1, ANISOTROPIC, rods, description="rods")
    objects += series(RODS_ISOTROPIC, 1, ISOTROPIC, rods, description="isotropic")
    objects += [ds for group in (traps(), lying()) for made in group.values() for ds in made]
    write(folder, objects + radiographs() + film() + drawn_in() + radiographs_over_time())


def write(folder: Path, objects: list[Dataset]) -> None:
    """Write objects, each as a file of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    for ds in objects:
        ds.save_as(folder / f"{ds.SOPInstanceUID}.dcm", enforce_file_format=True)
