"""The files that others made, each made a study of its own so that all can be held together."""

import hashlib
import warnings
from io import BytesIO
from pathlib import Path

import pydicom
from pydicom import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.uid import generate_uid

FOLDERS = ("transfer-syntaxes", "multiframe-us-nm-dcm4che", "multiframe-us-xa-mg-wsi")
MOST_BYTES = 32 << 20


def bundled() -> list[Path]:
    """Return the DICOM files that come with pydicom."""
    return dicom_files(Path(pydicom.__file__).parent / "data" / "test_files")


def shared(data: Path) -> list[Path]:
    """Return the files of the shared data that were chosen for how they are displayed."""
    return [path for name in FOLDERS for path in dicom_files(data / name)]


def dicom_files(folder: Path) -> list[Path]:
    """Return the DICOM files below a folder, each content once."""
    seen: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.stat().st_size > MOST_BYTES or path.name.startswith("DICOMDIR"):
            continue
        content = path.read_bytes()
        if content[128:132] == b"DICM":
            seen.setdefault(hashlib.sha256(content).hexdigest(), path)
    return list(seen.values())


def as_own_study(path: Path) -> Dataset | None:
    """Return a file's object under UIDs of its own; None where pydicom cannot read or write it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = pydicom.dcmread(path)
            dataset.PatientID = "P" + hashlib.sha256(path.name.encode()).hexdigest()[:12]
            dataset.StudyInstanceUID, dataset.SeriesInstanceUID = uid(path, "study"), uid(path, "series")
            dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = uid(path, "instance")
            dataset.save_as(BytesIO())
            return dataset
    except (InvalidDicomError, ValueError, AttributeError, KeyError, NotImplementedError, OSError):
        return None


def uid(path: Path, part: str) -> str:
    """Return the same UID for the same file."""
    return str(generate_uid(entropy_srcs=["picture test", path.parent.name, path.name, part]))
