"""An installation in a folder of its own, the command line on it, and small studies to take in."""

import logging
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import structlog
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from sightline.app import cli
from sightline.app.installation import Installation, open_installation
from sightline.app.settings import Settings
from sightline.runtime import logs
from sightline.runtime.settings import PREFIX, ServerSettings
from sightline.trust import audit


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings from the machine that the tests run on, and none left behind for the next test."""
    monkeypatch.setenv(f"{PREFIX}DATA", str(tmp_path / "data"))
    for name in list(os.environ):
        if name.startswith(PREFIX) and name not in (f"{PREFIX}DATA", f"{PREFIX}TEST_DATA"):
            monkeypatch.delenv(name)


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    opened = open_installation(Settings(server=ServerSettings(data=str(tmp_path / "data"))))
    yield opened
    audit.use(None)
    opened.close()


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str


@pytest.fixture
def sightline(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Iterator[Callable[..., Answer]]:
    """Run the command `sightline` on ``--data`` of this test, in this process."""
    # Loggers keep the stream that they first wrote to, and that of a test is closed at its end.
    monkeypatch.setattr(logs, "configure", lambda *_: None)
    monkeypatch.setattr(logging.getLogger("dbos"), "handlers", [logging.NullHandler()])
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory(), cache_logger_on_first_use=False)
    monkeypatch.setenv("COLUMNS", "200")

    def sightline(*arguments: str) -> Answer:
        here = [] if arguments == ("--help",) else ["--data", str(tmp_path / "data")]
        monkeypatch.setattr(sys, "argv", ["sightline", *arguments, *here])
        code: Any = 0
        try:
            cli.main()
        except SystemExit as end:
            code = end.code
        finally:
            audit.use(None)
        captured = capsys.readouterr()
        return Answer(int(code or 0), captured.out, captured.err)

    yield sightline
    structlog.reset_defaults()


@pytest.fixture
def write_slice(tmp_path: Path) -> Callable[..., Path]:
    """Write a small CT slice into the folder ``new``; what is given overrides, None leaves out."""

    def write(name: str = "1.dcm", **overrides: Any) -> Path:
        ds = Dataset()
        ds.file_meta = FileMetaDataset()
        ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = CTImageStorage
        ds.SOPInstanceUID, ds.StudyInstanceUID, ds.SeriesInstanceUID = "1.2.3.1.1", "1.2.3", "1.2.3.1"
        ds.PatientName, ds.PatientID, ds.PatientBirthDate = "Mueller^Joerg", "4711", "19600102"
        ds.StudyDate, ds.StudyTime, ds.Modality = "20240131", "101500", "CT"
        ds.StudyDescription, ds.SeriesNumber, ds.InstanceNumber = "CT chest", 1, 1
        ds.Rows = ds.Columns = 8
        ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 0
        ds.PixelData = np.arange(64, dtype="<u2").tobytes()
        for keyword, value in overrides.items():
            if value is None:
                del ds[keyword]
            else:
                setattr(ds, keyword, value)
        ds.file_meta.MediaStorageSOPInstanceUID = ds.get("SOPInstanceUID", "1.2.3.1.1")
        buffer = BytesIO()
        ds.save_as(buffer, enforce_file_format=True)
        path = tmp_path / "new" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(buffer.getvalue())
        return path

    return write
