"""The files that others made, each made a study of its own so that all can be held together."""

import hashlib
import os
import warnings
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pydicom
from pydicom import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.uid import generate_uid

FOLDERS = ("transfer-syntaxes", "multiframe-us-nm-dcm4che", "multiframe-us-xa-mg-wsi")
MOST_BYTES = 32 << 20


@dataclass(frozen=True)
class Held:
    """An object as it is held, and the file it came from."""

    path: Path
    dataset: Dataset
    content: bytes

    @property
    def name(self) -> str:
        """The file's name with its folder, the same on every machine."""
        return f"{self.path.parent.name}/{self.path.name}"

    @property
    def study_uid(self) -> str:
        """The study it is opened by."""
        return str(self.dataset.StudyInstanceUID)


def shared_folder() -> Path | None:
    """Return the folder of the shared real data, or None where it is absent."""
    folder = Path(os.environ.get("SIGHTLINE_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))
    return folder if folder.is_dir() else None


def bundled() -> list[Path]:
    """Return the DICOM files that come with pydicom, but for the many alike that belong to its DICOMDIRs."""
    found = dicom_files(Path(pydicom.__file__).parent / "data" / "test_files")
    return [path for path in found if "dicomdirtests" not in path.parts]


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


def as_own_study(path: Path) -> Held | None:
    """Return a file's object under UIDs of its own; as it is, where pydicom cannot write it again.

    None where it cannot be read, or has no UIDs.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return _renamed(path, pydicom.dcmread(path))
        except (ValueError, TypeError, AttributeError, KeyError, NotImplementedError):
            as_it_is = pydicom.dcmread(path)
            return Held(path, as_it_is, path.read_bytes()) if "StudyInstanceUID" in as_it_is else None
        except (InvalidDicomError, OSError):
            return None


def _renamed(path: Path, dataset: Dataset) -> Held:
    dataset.PatientID = "P" + hashlib.sha256(path.name.encode()).hexdigest()[:12]
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = uid(path, "study"), uid(path, "series")
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = uid(path, "instance")
    buffer = BytesIO()
    dataset.save_as(buffer)
    return Held(path, dataset, buffer.getvalue())


def uid(path: Path, part: str) -> str:
    """Return the same UID for the same file."""
    return str(generate_uid(entropy_srcs=["/".join(("picture test", path.parent.name, path.name, part))]))
