"""Find the objects in what people bring: files, folders and ZIPs, all of them hostile until proven.

A ZIP is never unpacked by the names in it. Each entry is read alone, within limits on count, total and
compression, and names that climb out or are absolute are refused.
"""

import os
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from uuid import uuid4

from sightline.record.archive import Incoming
from sightline.wire.media._model import ImportSummary
from sightline.wire.media.settings import MediaSettings

IN_MEMORY = 64 << 20
CHUNK = 1 << 20
GIB = 1 << 30
# What operating systems leave behind, and what is an index rather than an object.
_JUNK = frozenset({"thumbs.db", "desktop.ini", "__macosx", "dicomdir", "autorun.inf", "lockfile"})
_ZIP_MARKS = (b"PK\x03\x04", b"PK\x05\x06")


class Finder:
    """Walk what was brought; what is passed over or cannot be opened goes into the summary."""

    def __init__(self, summary: ImportSummary, scratch: Path, settings: MediaSettings) -> None:
        self._summary = summary
        self._scratch = scratch
        self._settings = settings

    def find(self, path: Path, name: str | None = None) -> Iterator[Incoming]:
        """Yield each object in a file, folder or ZIP."""
        try:
            mode = path.stat().st_mode
        except OSError as error:
            self._refuse(name or path.name, f"It cannot be opened ({error.strerror}). Check path and rights.")
            return
        if stat.S_ISDIR(mode):
            yield from self._find_in_folder(path)
        elif stat.S_ISREG(mode):
            yield from self._find_in_file(path, name or path.name)
        else:
            self._skip(name or path.name, "It is neither a file nor a folder.")

    def _find_in_folder(self, folder: Path) -> Iterator[Incoming]:
        def unreadable(error: OSError) -> None:
            self._refuse(
                Path(error.filename).name, f"It cannot be opened ({error.strerror}). Check its rights."
            )

        for root, folders, files in os.walk(folder, onerror=unreadable):
            folders[:] = sorted(f for f in folders if not _is_junk(f))
            for file in sorted(files):
                if _is_junk(file):
                    self._skip(file, _why_skipped(file))
                else:
                    yield from self.find(Path(root, file))

    def _find_in_file(self, path: Path, name: str) -> Iterator[Incoming]:
        try:
            with path.open("rb") as file:
                head = file.read(132)
        except OSError as error:
            self._refuse(name, f"It cannot be read ({error.strerror}). Check its rights.")
            return
        if head.startswith(_ZIP_MARKS) and head[128:] != b"DICM":
            yield from self._find_in_zip(path, name)
        else:
            yield Incoming(name, path)

    def _find_in_zip(self, path: Path, name: str) -> Iterator[Incoming]:
        try:
            with zipfile.ZipFile(path) as archive:
                entries = archive.infolist()
                if len(entries) > self._settings.max_entries:
                    most = self._settings.max_entries
                    self._refuse(
                        name, f"The ZIP holds {len(entries)} files, more than {most}. Import it in parts."
                    )
                    return
                yield from self._find_in_entries(archive, entries, name)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
            self._refuse(
                name, "The ZIP is damaged or cut off. Copy it again, or unpack it and import the folder."
            )

    def _find_in_entries(
        self, archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo], name: str
    ) -> Iterator[Incoming]:
        budget = int(self._settings.max_unpacked_gib * GIB)
        for entry in entries:
            if entry.is_dir():
                continue
            shown = f"{name}: {_base_name(entry.filename)}"
            if reason := self._reason_against(entry):
                self._refuse(shown, reason)
                continue
            if any(_is_junk(part) for part in PurePosixPath(entry.filename).parts):
                self._skip(shown, _why_skipped(_base_name(entry.filename)))
                continue
            if entry.file_size > budget:
                most = self._settings.max_unpacked_gib
                self._refuse(
                    shown, f"The ZIP unpacks to more than {most:g} GiB; the rest of it was not looked at."
                )
                return
            content = self._unpack(archive, entry, shown)
            if content is not None:
                budget -= entry.file_size
                yield Incoming(shown, content, ours=True)

    def _reason_against(self, entry: zipfile.ZipInfo) -> str:
        if not _is_safe(entry.filename):
            return "Its path leads out of the ZIP; it was not unpacked. Do not trust this ZIP."
        if entry.flag_bits & 1:
            return "It is encrypted. Unpack the ZIP with its password and import the folder."
        if entry.file_size > IN_MEMORY and entry.file_size > self._settings.max_ratio * max(
            entry.compress_size, 1
        ):
            return "It is compressed beyond belief (a ZIP bomb?) and was not unpacked."
        return ""

    def _unpack(self, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, shown: str) -> bytes | Path | None:
        """Read one entry into memory or, when large, into a file of ours; never more than it states."""
        try:
            with archive.open(entry) as read:
                if entry.file_size <= IN_MEMORY:
                    return self._checked(read.read(entry.file_size + 1), shown)
                target = self._scratch / f"zip-{uuid4().hex}"
                with target.open("xb") as write:
                    while piece := read.read(CHUNK):
                        write.write(piece)
                return target
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError):
            self._refuse(shown, "It is damaged within the ZIP. Copy the ZIP again from where it came.")
            return None

    def _checked(self, content: bytes, shown: str) -> bytes | None:
        if content.startswith(_ZIP_MARKS) and content[128:132] != b"DICM":
            self._skip(shown, "It is a ZIP within a ZIP. Unpack the outer one and import the folder.")
            return None
        return content

    def _refuse(self, name: str, reason: str) -> None:
        self._summary.refused.append((name, reason))

    def _skip(self, name: str, reason: str) -> None:
        self._summary.skipped.append((name, reason))


def _is_junk(name: str) -> bool:
    return name.startswith(".") or name.lower() in _JUNK


def _why_skipped(name: str) -> str:
    if name.lower() == "dicomdir":
        return "It is the index of a medium; the files that it names are taken themselves."
    return "It belongs to an operating system, not to a study."


def _base_name(name: str) -> str:
    return re.split(r"[/\\]", name)[-1] or "?"


def _is_safe(name: str) -> bool:
    """Say whether a name in a ZIP stays inside it, on every operating system."""
    windows = PureWindowsPath(name)
    return not (name.startswith(("/", "\\")) or windows.drive or ".." in windows.parts or "\0" in name)
