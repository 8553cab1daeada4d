"""Objects that are read or played, made for tests: small, valid, and of nobody."""

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
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
