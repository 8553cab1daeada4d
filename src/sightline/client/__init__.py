"""Any DICOMweb server from Python: search, iterate, read pixels with their geometry, upload.

    from sightline.client import Archive

    with Archive("http://localhost:8600/dicom-web", token="slt_…") as archive:
        for series in archive.find_series(Modality="CT", StudyDate="20240101-"):
            volume = archive.read_volume(series.StudyInstanceUID, series.SeriesInstanceUID)
            print(volume.array.shape, volume.grid.spacing_xyz_mm)

Invariants: results are pages behind an iterator, objects come one at a time, and nothing larger than one
object is held in memory; what a server refuses is raised in its own words.
"""

from sightline.client._archive import Archive
from sightline.client._model import (
    LoginRefused,
    NotPermitted,
    NotThere,
    RequestRefused,
    ServerUnavailable,
    Stored,
    UnreadableAnswer,
)

__all__ = [
    "Archive",
    "LoginRefused",
    "NotPermitted",
    "NotThere",
    "RequestRefused",
    "ServerUnavailable",
    "Stored",
    "UnreadableAnswer",
]
