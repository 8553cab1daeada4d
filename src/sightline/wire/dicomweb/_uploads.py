"""STOW-RS: what arrives in the body of a request, part after part (PS3.18 10.5).

Whole objects go to the archive in batches while the rest still arrives; of attributes with bulk data the
attributes are kept in memory and the bulk data in files, until the last part is there.
"""

import errno
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from uuid import uuid4

from starlette.concurrency import run_in_threadpool

from sightline.kernel.errors import Invalid
from sightline.record import archive
from sightline.runtime.blobs import StoreFull, StoreUnavailable
from sightline.wire.dicomweb import _accept as accept
from sightline.wire.dicomweb._assembly import Bulk, build_objects
from sightline.wire.dicomweb._multipart import BadMultipart, Event, PartData, PartEnd, PartStart

# A part up to this size stays in memory; more goes to a file, a piece of this size at a time.
IN_MEMORY = 4 << 20
BATCH_COUNT = 100
BATCH_BYTES = 64 << 20
# Each bulk data part is a file or a name in memory; no instance has so many.
MOST_BULK_PARTS = 100_000


class UploadTooLarge(Invalid):
    """One object is larger than this archive accepts; the rest of the request was not read."""

    status = 413


@dataclass(slots=True)
class _Part:
    """One part as it arrives."""

    headers: dict[str, str]
    kind: str
    parameters: dict[str, str]
    pieces: list[bytes] = field(default_factory=list)
    waiting: int = 0
    size: int = 0
    path: Path | None = None
    file: IO[bytes] | None = None

    @property
    def is_attributes(self) -> bool:
        """Say whether it holds attributes instead of an object or bulk data."""
        return self.kind in {accept.JSON, accept.PLAIN_JSON, accept.XML, "text/xml", "application/xml"}

    def content(self) -> bytes | Path:
        """Return what came, in memory or in its file."""
        if self.path is not None:
            return self.path
        return self.pieces[0] if len(self.pieces) == 1 else b"".join(self.pieces)


class Upload:
    """Gathers the parts of one request and hands them to the archive, a batch at a time."""

    def __init__(self, store: archive.Store, source: archive.Source, study_uid: str) -> None:
        self._store = store
        self._source = source
        self._study_uid = study_uid
        self._most = store.settings.max_instance_mib << 20
        self._most_attributes = store.settings.max_header_mib << 20
        self._waiting: list[archive.Incoming] = []
        self._waiting_bytes = 0
        self._part: _Part | None = None
        self._attributes: list[tuple[str, bytes]] = []
        self._attributes_bytes = 0
        self._bulk: dict[str, Bulk] = {}
        self.outcomes: list[archive.Outcome] = []

    async def take(self, events: AsyncIterator[Event]) -> list[archive.Outcome]:
        """Take in all parts and return what became of each; a request that breaks off leaves no file."""
        try:
            async for event in events:
                if isinstance(event, PartStart):
                    kind, parameters = accept.parse_media_type(
                        event.headers.get("content-type") or accept.DICOM
                    )
                    self._part = _Part(event.headers, kind, parameters)
                elif isinstance(event, PartData):
                    await self._add(event.data)
                elif isinstance(event, PartEnd):
                    await self._end()
            await self._assemble()
            await self._hand_over()
        finally:
            self._clear()
        return self.outcomes

    async def _add(self, data: bytes) -> None:
        part = self._part
        if part is None:
            return
        part.size += len(data)
        if part.size > self._most:
            raise UploadTooLarge(f"An object is larger than the {self._most >> 20} MiB that are accepted.")
        if part.is_attributes and self._attributes_bytes + part.size > self._most_attributes:
            raise UploadTooLarge(
                f"The attributes are larger than the {self._most_attributes >> 20} MiB that are accepted."
            )
        part.pieces.append(data)
        part.waiting += len(data)
        if part.waiting > IN_MEMORY and not part.is_attributes:
            await run_in_threadpool(self._spill, part)

    def _spill(self, part: _Part) -> None:
        """Write what has come of a large part to its file."""
        try:
            if part.file is None:
                part.path = self._store.blobs.scratch() / f"stow-{uuid4().hex}"
                part.file = part.path.open("xb")
            part.file.writelines(part.pieces)
            part.file.flush()
        except OSError as error:
            full = error.errno in {errno.ENOSPC, errno.EDQUOT}
            kind = StoreFull if full else StoreUnavailable
            raise kind(
                "The disk takes no more; nothing of this part was stored. Free space; send again."
            ) from error
        part.pieces, part.waiting = [], 0

    async def _end(self) -> None:
        part = self._part
        if part is None:
            return
        if part.file is not None:
            await run_in_threadpool(self._spill, part)
            part.file.close()
        self._part = None
        if part.kind == accept.DICOM:
            name = f"part {len(self.outcomes) + len(self._waiting) + 1}"
            self._waiting.append(archive.Incoming(name, part.content(), ours=True))
            self._waiting_bytes += part.size
            if len(self._waiting) >= BATCH_COUNT or self._waiting_bytes >= BATCH_BYTES:
                await self._hand_over()
        elif part.is_attributes:
            self._attributes.append((part.kind, b"".join(part.pieces)))
            self._attributes_bytes += part.size
        else:
            self._keep_bulk(part)

    def _keep_bulk(self, part: _Part) -> None:
        bulk = Bulk(part.kind, part.parameters.get("transfer-syntax", ""), part.content(), part.size)
        location = part.headers.get("content-location", "").strip()
        if location in self._bulk or len(self._bulk) >= MOST_BULK_PARTS:
            bulk.discard()
            raise BadMultipart("Each part of bulk data has a Content-Location of its own.")
        self._bulk[location] = bulk

    async def _assemble(self) -> None:
        """Make objects of attributes and bulk data, one at a time."""
        if not self._attributes:
            refused = archive.Outcome(
                "refused",
                "",
                reason="The part is not application/dicom. Send whole objects.",
                code="not-dicom",
            )
            self.outcomes += [refused] * len(self._bulk)
            return
        made = build_objects(self._attributes, self._bulk, most=self._most)
        while (item := await run_in_threadpool(next, made, None)) is not None:
            if isinstance(item, archive.Outcome):
                self.outcomes.append(item)
                continue
            self._waiting.append(item)
            self._waiting_bytes += len(item.content) if isinstance(item.content, bytes) else 0
            if len(self._waiting) >= BATCH_COUNT or self._waiting_bytes >= BATCH_BYTES:
                await self._hand_over()

    async def _hand_over(self) -> None:
        waiting, self._waiting, self._waiting_bytes = self._waiting, [], 0
        if waiting:
            self.outcomes += await run_in_threadpool(
                archive.take_in, self._store, waiting, self._source, study_uid=self._study_uid
            )

    def _clear(self) -> None:
        part = self._part
        if part is not None and part.file is not None:
            part.file.close()
        left = [part.path] if part is not None else []
        left += [item.content for item in self._waiting if isinstance(item.content, Path)]
        for path in left:
            if path is not None:
                path.unlink(missing_ok=True)
        for bulk in self._bulk.values():
            bulk.discard()
