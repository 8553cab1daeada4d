"""Objects that are read or played, made for tests: small, valid, and of nobody."""

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, EncapsulatedPDFStorage, ExplicitVRLittleEndian, TwelveLeadECGWaveformStorage

STUDY, SERIES, SOP = "1.2.77", "1.2.77.1", "1.2.77.1.1"
AT = f"/api/studies/{STUDY}/series/{SERIES}/instances/{SOP}"
VIDEO_ENDOSCOPY = "1.2.840.10008.5.1.4.1.1.77.1.1.1"
H264_SYNTAX = "1.2.840.10008.1.2.4.102"
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n"


def code(value: str, scheme: str, meaning: str) -> list[Dataset]:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return [item]


def blank(sop_class: str, syntax: str = ExplicitVRLittleEndian, **values: Any) -> Dataset:
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = UID(syntax)
    ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = sop_class, SOP
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.SOPClassUID, ds.SOPInstanceUID = sop_class, SOP
    ds.StudyInstanceUID, ds.SeriesInstanceUID = STUDY, SERIES
    ds.PatientName, ds.PatientID, ds.PatientBirthDate, ds.PatientSex = "Lovelace^Ada", "4711", "18151210", "F"
    ds.StudyDate, ds.StudyTime, ds.Modality = "20250103", "101500", "OT"
    ds.SeriesNumber, ds.InstanceNumber = 1, 1
    for name, value in values.items():
        setattr(ds, name, value)
    return ds


def written(ds: Dataset) -> bytes:
    buffer = BytesIO()
    ds.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def pdf(data: bytes = PDF, mime: str = "application/pdf", sop_class: str = EncapsulatedPDFStorage) -> bytes:
    """An encapsulated document; padded to an even length, with its own length stated."""
    return written(
        blank(
            sop_class,
            Modality="DOC",
            DocumentTitle="Letter",
            MIMETypeOfEncapsulatedDocument=mime,
            EncapsulatedDocument=data + b"\0" * (len(data) % 2),
            EncapsulatedDocumentLength=len(data),
        )
    )


def film(data: bytes, syntax: str = H264_SYNTAX, pieces: int = 1, **values: Any) -> bytes:
    """A film in one or more fragments."""
    ds = blank(
        VIDEO_ENDOSCOPY, syntax, Modality="ES", Rows=48, Columns=64, NumberOfFrames=30, FrameTime=40,
        SamplesPerPixel=3, PhotometricInterpretation="YBR_PARTIAL_420", PlanarConfiguration=0,
        BitsAllocated=8, BitsStored=8, HighBit=7, PixelRepresentation=0,
        FrameIncrementPointer=0x00181063, **values,
    )  # fmt: skip
    ds.PixelData = encapsulate([data], fragments_per_frame=pieces, has_bot=False)
    ds["PixelData"].VR = "OB"
    return written(ds)


def channel(
    name: str, value: str, sensitivity: float | None = 2.0, unit: str = "uV", **values: Any
) -> Dataset:
    item = Dataset()
    item.ChannelSourceSequence = code(value, "MDC", name)
    item.WaveformBitsStored, item.ChannelSampleSkew = 16, 0
    if sensitivity is not None:
        item.ChannelSensitivity = sensitivity
        item.ChannelSensitivityUnitsSequence = code(unit, "UCUM", unit)
        item.ChannelSensitivityCorrectionFactor, item.ChannelBaseline = 1, 0
    for name_, one in values.items():
        setattr(item, name_, one)
    return item


def group(
    samples: NDArray[Any], channels: Sequence[Dataset], frequency: float = 500, **values: Any
) -> Dataset:
    """A multiplex group of stored samples (sample, channel)."""
    item = Dataset()
    item.WaveformOriginality, item.MultiplexGroupLabel = "ORIGINAL", "RHYTHM"
    item.NumberOfWaveformSamples, item.NumberOfWaveformChannels = samples.shape
    item.SamplingFrequency = frequency
    item.ChannelDefinitionSequence = list(channels)
    item.WaveformBitsAllocated = samples.dtype.itemsize * 8
    item.WaveformSampleInterpretation = {"i1": "SB", "i2": "SS", "i4": "SL", "u2": "US"}[
        samples.dtype.str[1:]
    ]
    item.add_new(0x54001010, "OB" if samples.dtype.itemsize == 1 else "OW", samples.tobytes())
    for name, value in values.items():
        setattr(item, name, value)
    return item


def waveform(*groups: Dataset, annotations: Sequence[Dataset] = ()) -> bytes:
    ds = blank(TwelveLeadECGWaveformStorage, Modality="ECG", AcquisitionDateTime="20250103101500")
    ds.WaveformSequence = list(groups)
    if annotations:
        ds.WaveformAnnotationSequence = list(annotations)
    return written(ds)


def two_leads() -> NDArray[np.int16]:
    """A ramp and its opposite, as stored."""
    ramp = np.arange(-500, 500, dtype="<i2")
    return np.stack([ramp, -ramp], axis=1)


SLIDE = "1.2.840.10008.5.1.4.1.1.77.1.6"
JPEG = "1.2.840.10008.1.2.4.50"


def tissue(columns: int, rows: int) -> NDArray[np.uint8]:
    """A picture (row, column, 3) in which every place looks different: stains, a grid, and circles."""
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    cells = np.sin(x / 9) * np.sin(y / 11) + np.sin((x + y) / 83)
    picture = np.stack(
        [225 - 35 * cells, 165 + 50 * np.cos(x / columns * 3), 205 + 40 * np.sin(y / rows * 4)], 2
    )
    picture[np.hypot(x - columns / 2, y - rows / 2) < min(rows, columns) / 8] = (120, 40, 130)
    picture[(x % 500 < 3) | (y % 500 < 3)] = (60, 60, 90)
    return np.clip(picture, 0, 255).astype(np.uint8)


def slide(
    picture: NDArray[np.uint8], number: int, *, tile: int = 256, mm: float = 0.0005, flavour: str = "VOLUME",
    sparse: bool = False,
) -> bytes:  # fmt: skip
    """One level of a slide as JPEG tiles, or a picture of the whole in one frame."""
    rows, columns = picture.shape[:2]
    high, wide = (tile, tile) if flavour == "VOLUME" else (rows, columns)
    places = [(x, y) for y in range(0, rows, high) for x in range(0, columns, wide)]
    ds = blank(
        SLIDE, JPEG, Modality="SM", ImageType=["ORIGINAL", "PRIMARY", flavour, "NONE"], InstanceNumber=number,
        Rows=high, Columns=wide, NumberOfFrames=len(places), SamplesPerPixel=3, PlanarConfiguration=0,
        PhotometricInterpretation="YBR_FULL_422", BitsAllocated=8, BitsStored=8, HighBit=7,
        PixelRepresentation=0, TotalPixelMatrixColumns=columns, TotalPixelMatrixRows=rows,
        TotalPixelMatrixFocalPlanes=1,
        DimensionOrganizationType="TILED_SPARSE" if sparse else "TILED_FULL", LossyImageCompression="01",
    )  # fmt: skip
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = UID(f"{SERIES}.{number}")
    measures, shared, path = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = [mm, mm], 0.004
    shared.PixelMeasuresSequence = [measures]
    ds.SharedFunctionalGroupsSequence = [shared]
    path.OpticalPathIdentifier, path.ObjectiveLensPower = "1", 20
    ds.OpticalPathSequence = [path]
    if sparse:
        places = places[::-1]
        ds.PerFrameFunctionalGroupsSequence = [_placed(x, y) for x, y in places]
    ds.PixelData = encapsulate([_jpeg(picture[y : y + high, x : x + wide], high, wide) for x, y in places])
    ds["PixelData"].VR = "OB"
    return written(ds)


def _placed(x: int, y: int) -> Dataset:
    frame, place = Dataset(), Dataset()
    place.ColumnPositionInTotalImagePixelMatrix, place.RowPositionInTotalImagePixelMatrix = x + 1, y + 1
    frame.PlanePositionSlideSequence = [place]
    return frame


def _jpeg(part: NDArray[np.uint8], rows: int, columns: int) -> bytes:
    """A tile as JPEG; what lies beyond the edge of the slide is white."""
    whole = np.full((rows, columns, 3), 255, np.uint8)
    whole[: part.shape[0], : part.shape[1]] = part
    buffer = BytesIO()
    Image.fromarray(whole).save(buffer, "JPEG", quality=85, subsampling="4:2:2")
    return buffer.getvalue()
