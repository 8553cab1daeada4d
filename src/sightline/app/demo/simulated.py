"""The simulated patient as CT series in DICOM; every object says that it is simulated."""

import hashlib
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian

from sightline.science import simulation

PATIENT_ID = "SIM-0001"
PATIENT_NAME = "SIMULATED^Nodule Patient"
FIRST_VISIT = date(2026, 5, 4)
VISITS = tuple(range(1, len(simulation.VISIT_DAYS) + 1))
LABEL = "SIMULATED chest, computed and not scanned"


def uid(*parts: object) -> str:
    """Return a UID that is always the same for the same parts (PS3.5 B.2)."""
    digest = hashlib.sha256("/".join(str(part) for part in ("sightline-demo-1", *parts)).encode()).digest()
    return f"2.25.{int.from_bytes(digest[:16])}"


def write_patient(folder: Path) -> None:
    """Write the three visits of the simulated patient into `folder`."""
    for visit in VISITS:
        write_visit(folder / f"visit{visit}", visit)


def write_visit(folder: Path, visit: int) -> simulation.SimulatedScan:
    """Write one visit as a CT series and return the scan with its truth."""
    folder.mkdir(parents=True)
    scan = simulation.simulate_chest(visit)
    for ds in build_series(scan, visit):
        ds.save_as(folder / f"{ds.InstanceNumber:04d}.dcm", enforce_file_format=True)
    return scan


def build_series(scan: simulation.SimulatedScan, visit: int) -> Iterator[Dataset]:
    """Yield the CT images of one visit, feet first in z as a scanner sends them."""
    on = FIRST_VISIT + timedelta(days=scan.day)
    depth = scan.grid.shape_zyx[0]
    for z in range(depth):
        yield _image(scan, visit, z, on)


def _image(scan: simulation.SimulatedScan, visit: int, z: int, on: date) -> Dataset:
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = CTImageStorage
    ds.SOPInstanceUID = uid("image", visit, z)
    ds.file_meta.MediaStorageSOPInstanceUID = UID(ds.SOPInstanceUID)
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.ImageType = ["DERIVED", "PRIMARY", "AXIAL", "SIMULATED"]
    ds.ImageComments = LABEL
    _identify(ds, visit, on)
    ds.Modality, ds.Manufacturer, ds.ManufacturerModelName = "CT", "Sightline", "chest simulation"
    ds.BodyPartExamined, ds.PatientPosition = "CHEST", "HFS"
    ds.KVP, ds.ConvolutionKernel, ds.GantryDetectorTilt = "120", "SIM", "0"
    _place(ds, scan, z)
    _fill(ds, scan.array[z])
    return ds


def _identify(ds: Dataset, visit: int, on: date) -> None:
    ds.PatientName, ds.PatientID, ds.PatientSex = PATIENT_NAME, PATIENT_ID, "F"
    ds.IssuerOfPatientID = "SIGHTLINE-SIMULATION"
    ds.PatientBirthDate = "19650211"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = uid("study", visit), uid("series", visit)
    ds.FrameOfReferenceUID = uid("frame", visit)
    ds.StudyID, ds.AccessionNumber = f"SIM{visit}", f"SIM-{visit}"
    ds.StudyDate = ds.SeriesDate = ds.AcquisitionDate = ds.ContentDate = f"{on:%Y%m%d}"
    ds.StudyTime = ds.SeriesTime = ds.AcquisitionTime = ds.ContentTime = "094100"
    ds.StudyDescription = "CT chest SIMULATED"
    ds.SeriesDescription = "Lung 2 mm SIMULATED"
    ds.ReferringPhysicianName = ""
    ds.SeriesNumber, ds.AcquisitionNumber, ds.PositionReferenceIndicator = 2, 1, ""


def _place(ds: Dataset, scan: simulation.SimulatedScan, z: int) -> None:
    grid = scan.grid
    dx, dy, dz = grid.spacing_xyz_mm
    axes = grid.axes
    ds.InstanceNumber = z + 1
    ds.ImagePositionPatient = [f"{v:.6f}" for v in grid.to_lps_mm((z, 0, 0))[0]]
    ds.ImageOrientationPatient = [f"{v:.6f}" for v in (*axes[:, 0], *axes[:, 1])]
    ds.PixelSpacing = [f"{dy:.6f}", f"{dx:.6f}"]
    ds.SliceThickness = f"{dz:.6f}"
    ds.SliceLocation = f"{grid.to_lps_mm((z, 0, 0))[0][2]:.6f}"


def _fill(ds: Dataset, pixels: "np.ndarray[tuple[int, ...], np.dtype[np.int16]]") -> None:
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns = pixels.shape
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = "0", "1", "HU"
    ds.WindowCenter, ds.WindowWidth = "-600", "1500"
    ds.PixelData = np.ascontiguousarray(pixels, dtype="<i2").tobytes()
