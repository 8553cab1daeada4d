"""The studies that viewers open: copies of one real series, each of a patient of its own."""

import sys
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import pydicom
from pydicom.uid import generate_uid

SERIES = {"ct": Path("ct", "crlm-ct-1004-abdomen", "image"), "mr": Path("mr", "fmri-ge-siemens", "In")}


def series_of(data: Path, name: str) -> list[pydicom.Dataset]:
    """Return the longest series of single frames in the data's folder of that name, in order."""
    folder = data / SERIES[name]
    if not folder.is_dir():
        sys.exit(f"{folder} is not there: set SIGHTLINE_TEST_DATA to the folder with the shared data.")
    series: dict[str, list[pydicom.Dataset]] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.read_bytes()[128:132] == b"DICM":
            dataset = pydicom.dcmread(path)
            series.setdefault(dataset.SeriesInstanceUID, []).append(dataset)
    longest = max(series.values(), key=len)
    return sorted(longest, key=lambda d: int(d.InstanceNumber))


def copies(series: Sequence[pydicom.Dataset], number: int) -> list[bytes]:
    """Return the series as the study of another patient, `BENCH^nn`."""
    name = f"{number:02d}"
    made = []
    for at, dataset in enumerate(series):
        dataset.PatientName, dataset.PatientID = f"BENCH^{name}", f"BENCH{name}"
        dataset.AccessionNumber = f"B{name}"
        dataset.StudyInstanceUID = study_uid(number)
        dataset.SeriesInstanceUID = uid("series", number)
        dataset.FrameOfReferenceUID = uid("frame", number)
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = uid("instance", number, at)
        buffer = BytesIO()
        dataset.save_as(buffer)
        made.append(buffer.getvalue())
    return made


def study_uid(number: int) -> str:
    """Return the Study Instance UID of a copy."""
    return uid("study", number)


def uid(*parts: object) -> str:
    """Return the same UID for the same parts."""
    return str(generate_uid(entropy_srcs=["/".join(map(str, ("sightline bench viewer", *parts)))]))
