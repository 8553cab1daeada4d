"""CT slices to store: 512 × 512 × 16 bit (0.5 MB), noise, so that nothing compresses."""

from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

ROOT = "1.2.826.0.1.3680043.10.1"


def write_slices(folder: Path, count: int, *, study: str = ROOT, series: int = 10) -> list[Path]:
    """Write `count` slices, `series` series of one study, each of its own UID; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(sum(study.encode()))
    ds = _template()
    ds.StudyInstanceUID = study
    files = []
    for n in range(count):
        ds.SeriesInstanceUID = f"{study}.{n % series}"
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"{study}.{n % series}.{n}"
        ds.SeriesNumber, ds.InstanceNumber = n % series, n
        ds.ImagePositionPatient = [-250, -250, n]
        ds.PixelData = rng.integers(0, 4096, (512, 512), "<u2").tobytes()
        path = folder / f"{n:05d}.dcm"
        ds.save_as(path, enforce_file_format=True)
        files.append(path)
    return files


def _template() -> Dataset:
    """Return a header as long as those of scanners, without private attributes."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = CTImageStorage
    ds.SpecificCharacterSet, ds.ImageType = "ISO_IR 100", ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.PatientName, ds.PatientID, ds.Modality = "BENCH^INGEST", "B1", "CT"
    ds.PatientBirthDate, ds.PatientSex, ds.PatientAge = "19600102", "M", "064Y"
    ds.StudyDate = ds.SeriesDate = ds.AcquisitionDate = ds.ContentDate = "20240101"
    ds.StudyTime, ds.SeriesTime, ds.AcquisitionTime, ds.ContentTime = "101500", "101700", "101712", "101713"
    ds.AccessionNumber, ds.StudyID, ds.ReferringPhysicianName = "A1", "S1", "REFERRER^ONE"
    ds.StudyDescription, ds.SeriesDescription, ds.BodyPartExamined = "CT chest", "lung", "CHEST"
    ds.Manufacturer, ds.ManufacturerModelName, ds.SoftwareVersions = "None", "Bench", "1"
    ds.InstitutionName, ds.StationName, ds.DeviceSerialNumber = "Bench", "CT1", "42"
    ds.KVP, ds.ConvolutionKernel, ds.SliceThickness, ds.SpacingBetweenSlices = 120, "B30", 1.25, 1.0
    ds.XRayTubeCurrent, ds.ExposureTime, ds.Exposure, ds.FilterType = 200, 500, 100, "BODY"
    ds.DataCollectionDiameter, ds.ReconstructionDiameter, ds.GantryDetectorTilt = 500, 360, 0
    ds.TableHeight, ds.RotationDirection, ds.PatientPosition = 150.5, "CW", "HFS"
    ds.ProtocolName, ds.AcquisitionNumber = "Chest", 1
    ds.ImageOrientationPatient, ds.PixelSpacing = [1, 0, 0, 0, 1, 0], [0.97, 0.97]
    ds.FrameOfReferenceUID, ds.PositionReferenceIndicator = generate_uid(entropy_srcs=["bench"]), "SN"
    ds.SliceLocation, ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType = 0, 1, -1024, "HU"
    ds.WindowCenter, ds.WindowWidth = [-600, 40], [1500, 400]
    ds.Rows = ds.Columns = 512
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
    return ds
