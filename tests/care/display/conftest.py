"""A study with a CT and what lies over it, made up so that the place of every voxel is known."""

from io import BytesIO

import highdicom as hd
import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

from sightline.record import archive
from sightline.trust import access
from tests.care.clinic import make_slice

STUDY, CT = "1.2.3", "1.2.3.1"
FRAME = f"{STUDY}.9"
SLICES, SIDE = 6, 16
PIXEL_MM, STEP_MM = 2.0, 5.0


def ct_images(slices: int = SLICES) -> list[Dataset]:
    """Axial slices of 16 x 16 pixels of 2 mm, 5 mm apart, the first at z = 5 mm."""
    return [dcmread(BytesIO(make_slice(n, STUDY, CT))) for n in range(1, slices + 1)]


@pytest.fixture
def database(sqlite):
    """One kind of database: nothing here is a query of its own."""
    return sqlite


@pytest.fixture
def keep(store):
    """Put objects into the archive."""
    source = archive.Source("import", "test", access.operator("tester"))

    def keep(*objects: Dataset) -> Dataset:
        for ds in objects:
            assert archive.store_dataset(store, ds, source).status == "stored"
        return objects[-1]

    return keep


@pytest.fixture
def study(receive):
    """A study with one CT."""
    return receive(STUDY, slices=SLICES)


def make_segmentation(masks: np.ndarray, images: list[Dataset], **options) -> Dataset:
    """Return a segmentation of masks (slice, row, column, segment) over images in the order given."""
    described = [
        hd.seg.SegmentDescription(
            segment_number=n,
            segment_label=f"part {n}",
            segmented_property_category=codes.SCT.Organ,
            segmented_property_type=codes.SCT.Liver,
            algorithm_type=hd.seg.SegmentAlgorithmTypeValues.MANUAL,
            tracking_uid=UID(f"{STUDY}.77.{n}"),
            tracking_id=f"part {n}",
        )
        for n in range(1, masks.shape[-1] + 1)
    ]
    options.setdefault("segmentation_type", hd.seg.SegmentationTypeValues.BINARY)
    return hd.seg.Segmentation(
        source_images=images,
        pixel_array=masks,
        segment_descriptions=described,
        series_instance_uid=generate_uid(),
        series_number=300,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer="Made up",
        manufacturer_model_name="Made up",
        software_versions="1",
        device_serial_number="1",
        **options,
    )


def _object(sop_class: str, modality: str, **attributes) -> Dataset:
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID, ds.SOPInstanceUID = UID(sop_class), generate_uid()
    ds.StudyInstanceUID, ds.SeriesInstanceUID = STUDY, generate_uid()
    ds.PatientName, ds.PatientID = "Lovelace^Ada", "4711"
    ds.PatientBirthDate, ds.PatientSex, ds.StudyDate = "19600102", "F", "20250103"
    ds.StudyTime, ds.AccessionNumber, ds.StudyID = "101500", "A1", "1"
    ds.ReferringPhysicianName, ds.Modality = "Byron^George", modality
    ds.SeriesNumber, ds.InstanceNumber = 5, 1
    for name, value in attributes.items():
        setattr(ds, name, value)
    ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = (
        ds.SOPClassUID,
        ds.SOPInstanceUID,
    )
    return ds


def make_dose(values: np.ndarray, *, position, offsets, pixel_mm=3.0, frame=FRAME, **attributes) -> Dataset:
    """Return a dose (plane, row, column) in steps of 0.01 Gy."""
    ds = _object("1.2.840.10008.5.1.4.1.1.481.2", "RTDOSE", FrameOfReferenceUID=frame)
    ds.NumberOfFrames, ds.Rows, ds.Columns = values.shape
    ds.PixelSpacing, ds.ImagePositionPatient = [pixel_mm, pixel_mm], list(position)
    ds.ImageOrientationPatient, ds.GridFrameOffsetVector = [1, 0, 0, 0, 1, 0], list(offsets)
    ds.DoseUnits, ds.DoseType, ds.DoseSummationType, ds.DoseGridScaling = "GY", "PHYSICAL", "PLAN", "0.01"
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PixelRepresentation = 1, "MONOCHROME2", 0
    ds.BitsAllocated = ds.BitsStored = 32
    ds.HighBit = 31
    ds.PixelData = np.rint(values * 100).astype("<u4").tobytes()
    for name, value in attributes.items():
        setattr(ds, name, value)
    return ds


def make_structures(contours: dict[str, list[list[float]]], *, frame=FRAME, **attributes) -> Dataset:
    """Return a structure set: regions by name, each contour as numbers x, y, z, x, …"""
    ds = _object("1.2.840.10008.5.1.4.1.1.481.3", "RTSTRUCT", StructureSetLabel="plan", **attributes)
    rois, drawn, meant = [], [], []
    for number, (name, lists) in enumerate(contours.items(), start=1):
        roi, region, observation = Dataset(), Dataset(), Dataset()
        roi.ROINumber, roi.ROIName, roi.ReferencedFrameOfReferenceUID = number, name, frame
        roi.ROIGenerationAlgorithm = "MANUAL"
        region.ReferencedROINumber, region.ROIDisplayColor = number, [255, 128, 0]
        region.ContourSequence = []
        for numbers in lists:
            contour = Dataset()
            contour.ContourGeometricType, contour.NumberOfContourPoints = "CLOSED_PLANAR", len(numbers) // 3
            contour.ContourData = numbers
            region.ContourSequence.append(contour)
        observation.ObservationNumber, observation.ReferencedROINumber = number, number
        observation.RTROIInterpretedType, observation.ROIInterpreter = "ORGAN", ""
        rois.append(roi)
        drawn.append(region)
        meant.append(observation)
    ds.StructureSetROISequence, ds.ROIContourSequence, ds.RTROIObservationsSequence = rois, drawn, meant
    return ds


def pet_slice(number: int, *, series: str = f"{STUDY}.2", **changed) -> Dataset:
    """Return a PET slice of 8 x 8 pixels of 4 mm whose activity in Bq/ml is its number times 1000."""
    item = Dataset()
    item.RadionuclideTotalDose, item.RadionuclideHalfLife = "350000000", "6586.2"
    item.RadiopharmaceuticalStartTime = "100000"
    changes = {
        "SOPClassUID": UID("1.2.840.10008.5.1.4.1.1.128"), "Modality": "PT", "SeriesNumber": 2,
        "Rows": 8, "Columns": 8, "PixelSpacing": [4.0, 4.0], "ImagePositionPatient": [1.0, 1.0, 5.0 * number],
        "PixelData": np.full((8, 8), number, "<i2").tobytes(), "RescaleSlope": 1000, "RescaleIntercept": 0,
        "Units": "BQML", "DecayCorrection": "ADMIN", "CorrectedImage": ["ATTN", "DECY"],
        "PatientWeight": 70, "SeriesDate": "20250103", "SeriesTime": "110000",
        "RadiopharmaceuticalInformationSequence": [item],
    }  # fmt: skip
    return dcmread(BytesIO(make_slice(number, STUDY, series, **(changes | changed))))
