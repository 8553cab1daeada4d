"""The DICOM validator of dicom3tools, as a judge of objects."""

import shutil
import subprocess
from pathlib import Path

import pytest


def errors_of(content: bytes, folder: Path) -> list[str]:
    """Return what dciodvfy calls an error in a DICOM file."""
    if shutil.which("dciodvfy") is None:
        pytest.skip("dciodvfy is not installed: apt-get install dicom3tools")
    path = folder / "object.dcm"
    path.write_bytes(content)
    judged = subprocess.run(
        ["dciodvfy", "-new", path], capture_output=True, text=True, timeout=60, check=False, errors="replace"
    )
    return [line for line in (judged.stdout + judged.stderr).splitlines() if line.startswith("Error")]
