"""Studies out of the house: as a ZIP, as a ZIP of a medium with DICOMDIR, as NIfTI volumes.

Invariants: what goes out is what the archive gives out, corrections included; names of files and folders tell
nothing of the patient; a ZIP is made while it is sent, one object at a time.
"""

import io
import tempfile
import warnings
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydicom.fileset import FileSet

from sightline.kernel.errors import PlatformError
from sightline.record import archive
from sightline.runtime import processes
from sightline.trust import access, audit
from sightline.wire.media._model import Form, NothingToExport

CHUNK = 1 << 20
# What a directory record must have (PS3.3 F.5, type 1) and an object may lack; the object stays as it is.
INVENTED = {
    "PatientID": "UNKNOWN",
    "StudyDate": "19000101",
    "StudyTime": "000000",
    "StudyID": "1",
    "Modality": "OT",
    "SeriesNumber": "1",
    "InstanceNumber": "1",
}

audit.declare("media.export", "A study was copied out of the archive")


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of an export: where it goes and how its bytes are had."""

    path: str
    chunks: Iterable[bytes]


def export_study(store: archive.Store, study_uid: str, form: Form, *, by: access.Person) -> Iterator[Entry]:
    """Say who takes a study out, then yield its files.

    Raises
    ------
    StudyNotHeld, NotAllowed
        Before anything is yielded.
    """
    access.require(by, "archive.export", on=study_uid)
    with store.database.transaction() as db:
        study = archive.get_study(db, study_uid)
        held = archive.series_of_study(db, study_uid)
        series = [(s.uid, archive.sop_uids_of(db, s.uid)) for s in held]
        audit.record(db, "media.export", by=by, on=study_uid, form=form, instances=study.instance_count)
    if form == "nifti":
        return _nifti(store, [uid for uid, _ in series])
    objects = [(f"series-{n:03d}", uid) for n, (_, uids) in enumerate(series, 1) for uid in uids]
    return _medium(store, objects) if form == "dicomdir" else _files(store, objects)


def zipped(entries: Iterable[Entry]) -> Iterator[bytes]:
    """Yield a ZIP of the entries as it grows; pixels hardly compress, so nothing is compressed."""
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_STORED) as written:
        for entry in entries:
            info = zipfile.ZipInfo(entry.path)
            with written.open(info, "w", force_zip64=True) as file:
                for chunk in entry.chunks:
                    file.write(chunk)
                    yield from pipe.taken()
            yield from pipe.taken()
    yield from pipe.taken()


class _Pipe(io.RawIOBase):
    """What is written here is taken out again; it cannot seek, so the ZIP is written straight on."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        piece = bytes(data)  # type: ignore[call-overload]
        self._pieces.append(piece)
        return len(piece)

    def taken(self) -> Iterator[bytes]:
        pieces, self._pieces = self._pieces, []
        if pieces:
            yield b"".join(pieces)


def _files(store: archive.Store, objects: list[tuple[str, str]]) -> Iterator[Entry]:
    number = 0
    folder = ""
    for place, sop_uid in objects:
        number, folder = (number + 1, folder) if place == folder else (1, place)
        yield Entry(f"{folder}/{number:06d}.dcm", _chunks(store, sop_uid))


def _chunks(store: archive.Store, sop_uid: str) -> Iterator[bytes]:
    with store.database.reading() as db:
        opened = archive.open_instance(store, db, sop_uid)
    yield from opened.chunks(CHUNK)


def _medium(store: archive.Store, objects: list[tuple[str, str]]) -> Iterator[Entry]:
    """Yield the files of a medium and their DICOMDIR (PS3.10 8, PS3.3 F).

    The directory is made from headers only, so that a study never lies on the disk twice.
    """
    with tempfile.TemporaryDirectory() as scratch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        medium = FileSet()
        for _, sop_uid in objects:
            with store.database.reading() as db:
                header = archive.read_dataset(store, db, sop_uid, pixels=False)
            for name, value in INVENTED.items():
                if not header.get(name):
                    setattr(header, name, value)
            medium.add(header)
        medium.write(Path(scratch))
        directory = Path(scratch, "DICOMDIR").read_bytes()
        places = {str(m.SOPInstanceUID): Path(m.path).relative_to(scratch).as_posix() for m in medium}
    yield Entry("DICOMDIR", [directory])
    for _, sop_uid in objects:
        yield Entry(places[sop_uid], _chunks(store, sop_uid))


def _nifti(store: archive.Store, series: list[str]) -> Iterator[Entry]:
    """Yield a volume for each series that is one, and say of the others why they are none."""
    refused = []
    made = 0
    for number, series_uid in enumerate(series, 1):
        with tempfile.TemporaryDirectory() as scratch:
            source, target = Path(scratch, "dicom"), Path(scratch, "volume.nii.gz")
            source.mkdir()
            with store.database.reading() as db:
                archive.export_series(store, db, series_uid, source)
            try:
                processes.run_capped(write_nifti, (source, target), memory_mib=8192, at_once=True)
            except PlatformError as error:
                refused.append(f"series-{number:03d}: {error}")
                continue
            made += 1
            yield Entry(f"series-{number:03d}.nii.gz", _read(target))
    if refused:
        yield Entry("NOT-VOLUMES.txt", ["\n".join([*refused, ""]).encode()])
    if not made and not refused:
        raise NothingToExport("The study holds no series.")


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(CHUNK):
            yield piece


def write_nifti(source: Path, target: Path) -> None:
    """Write a folder of DICOM files as one NIfTI volume in `target`; runs in a child process.

    Values are after rescale (HU for CT). ITK turns LPS into the RAS of NIfTI.
    """
    import SimpleITK as sitk  # noqa: N813 - its users' own short name

    from sightline.science import volumes

    volume = volumes.read_volume(sorted(source.iterdir()))
    image = sitk.GetImageFromArray(volume.array)
    image.SetSpacing(volume.grid.spacing_xyz_mm)
    image.SetOrigin(volume.grid.origin_lps_mm)
    image.SetDirection(volume.grid.directions)
    sitk.WriteImage(image, str(target))
