"""STOW-RS: what arrives in the body of a request, part after part (PS3.18 10.5).

Each whole object goes to the archive while the rest still arrives; of attributes with bulk data the
attributes are kept in memory and the bulk data in files, until the last part is there.
"""

import asyncio
import errno
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO
from uuid import uuid4

from starlette.concurrency import run_in_threadpool

from sightline.kernel.errors import Invalid
from sightline.record import archive
from sightline.runtime.blobs import StoreFull, StoreUnavailable, page_memory
from sightline.wire.dicomweb import _accept as accept
from sightline.wire.dicomweb._assembly import Bulk, build_objects
from sightline.wire.dicomweb._multipart import BadMultipart, Event, PartData, PartEnd, PartStart

# A part up to this size stays in memory; more goes to a file, a piece of this size at a time.
IN_MEMORY = 4 << 20
# How much of a request may wait to be taken in before no more is read.
WAITING_COUNT, WAITING_BYTES = 8, 8 << 20
# A request that is alone has its objects taken in two at once; of many, each has one at a time.
ALONE, AT_A_TIME = 2, 2
# Memory of this size is used again for other parts, so much of it that it serves all who send at once.
LENT, LENT_MOST = 1 << 20, 64
# Each bulk data part is a file or a name in memory; no instance has so many.
MOST_BULK_PARTS = 100_000


class UploadTooLarge(Invalid):
    """One object is larger than this archive accepts; the rest of the request was not read."""

    status = 413


class _Memory:
    """What parts arrive in: pieces that the disk takes as they are, lent out again and again."""

    def __init__(self) -> None:
        self._free: list[memoryview] = []

    def lend(self, size: int) -> memoryview:
        """Return memory of at least `size` bytes."""
        if size <= LENT:
            return self._free.pop() if self._free else page_memory(LENT)
        return page_memory(size)

    def give_back(self, memory: memoryview | None) -> None:
        """Take back what was lent."""
        if memory is not None and len(memory) == LENT and len(self._free) < LENT_MOST:
            self._free.append(memory)


_memory = _Memory()


@dataclass(slots=True)
class _Part:
    """One part as it arrives: `waiting` bytes of its `size` are in memory, those before in a file."""

    headers: dict[str, str]
    kind: str
    parameters: dict[str, str]
    memory: memoryview | None = None
    waiting: int = 0
    size: int = 0
    path: Path | None = None
    file: IO[bytes] | None = None

    @property
    def is_attributes(self) -> bool:
        """Say whether it holds attributes instead of an object or bulk data."""
        return self.kind in {accept.JSON, accept.PLAIN_JSON, accept.XML, "text/xml", "application/xml"}

    def add(self, data: bytes | memoryview) -> None:
        """Put bytes behind those that are there."""
        end = self.waiting + len(data)
        if self.memory is None or end > len(self.memory):
            larger = _memory.lend(max(end, 2 * len(self.memory or b"")))
            larger[: self.waiting] = self.view()
            _memory.give_back(self.memory)
            self.memory = larger
        self.memory[self.waiting : end] = data
        self.waiting = end
        self.size += len(data)

    def view(self) -> memoryview:
        """Return what is in memory."""
        return memoryview(b"") if self.memory is None else self.memory[: self.waiting].toreadonly()

    def content(self) -> bytes | Path:
        """Return what came, copied or in its file."""
        return self.path if self.path is not None else bytes(self.view())

    def let_go(self) -> None:
        """Give the memory back."""
        _memory.give_back(self.memory)
        self.memory, self.waiting = None, 0


_under_way: "set[Upload]" = set()


class Upload:
    """Gathers the parts of one request and hands them to the archive while more arrive."""

    def __init__(self, spool: archive.Spool, source: archive.Source, study_uid: str) -> None:
        self._spool = spool
        self._source = source
        self._study_uid = study_uid
        self._store = spool.store
        self._most = self._store.settings.max_instance_mib << 20
        self._most_attributes = self._store.settings.max_header_mib << 20
        self._waiting: list[tuple[int, archive.Incoming, _Part | None]] = []
        self._placing: set[asyncio.Task[None]] = set()
        self._part: _Part | None = None
        self._count = 0
        self._attributes: list[tuple[str, bytes]] = []
        self._attributes_bytes = 0
        self._bulk: dict[str, Bulk] = {}
        self._outcomes: dict[int, archive.Outcome] = {}

    async def take(self, events: AsyncIterator[Event]) -> list[archive.Outcome]:
        """Take in all parts and return what became of each; a request that breaks off leaves no file."""
        _under_way.add(self)
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
        finally:
            _under_way.discard(self)
            try:
                await asyncio.gather(*self._placing)
            finally:
                self._clear()
        return await run_in_threadpool(self._written)

    def _written(self) -> list[archive.Outcome]:
        """Return the outcomes once what was stored can be found."""
        outcomes = [self._outcomes[number] for number in sorted(self._outcomes)]
        try:
            self._spool.flush()
        except StoreUnavailable as error:
            return [
                replace(o, status="refused", reason=str(error), code=error.code)
                if o.status == "stored"
                else o
                for o in outcomes
            ]
        return outcomes

    async def _add(self, data: bytes | memoryview) -> None:
        part = self._part
        if part is None:
            return
        part.add(data)
        if part.size > self._most:
            raise UploadTooLarge(f"An object is larger than the {self._most >> 20} MiB that are accepted.")
        if part.is_attributes and self._attributes_bytes + part.size > self._most_attributes:
            raise UploadTooLarge(
                f"The attributes are larger than the {self._most_attributes >> 20} MiB that are accepted."
            )
        if part.waiting > IN_MEMORY and not part.is_attributes:
            await run_in_threadpool(self._spill, part)

    def _spill(self, part: _Part) -> None:
        """Write what has come of a large part to its file."""
        try:
            if part.file is None:
                part.path = self._store.blobs.scratch() / f"stow-{uuid4().hex}"
                part.file = part.path.open("xb")
            part.file.write(part.view())
            part.file.flush()
        except OSError as error:
            full = error.errno in {errno.ENOSPC, errno.EDQUOT}
            kind = StoreFull if full else StoreUnavailable
            raise kind(
                "The disk takes no more; nothing of this part was stored. Free space; send again."
            ) from error
        part.waiting = 0

    async def _end(self) -> None:
        part = self._part
        if part is None:
            return
        if part.file is not None:
            await run_in_threadpool(self._spill, part)
            part.file.close()
        self._part = None
        if part.kind == accept.DICOM:
            content = part.path if part.path is not None else part.view()
            await self._place(archive.Incoming(f"part {self._count + 1}", content, ours=True), part)
            return
        if part.is_attributes:
            self._attributes.append((part.kind, bytes(part.view())))
            self._attributes_bytes += part.size
        else:
            self._keep_bulk(part)
        part.let_go()

    async def _place(self, item: archive.Incoming, part: _Part | None = None) -> None:
        """Have an object taken in while the next arrive."""
        self._count += 1
        self._waiting.append((self._count, item, part))
        running = {task for task in self._placing if not task.done()}
        if len(running) < (ALONE if len(_under_way) == 1 else 1):
            self._placing.add(asyncio.create_task(self._place_waiting()))
        elif len(self._waiting) >= WAITING_COUNT or self._waiting_bytes() >= WAITING_BYTES:
            await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)

    def _waiting_bytes(self) -> int:
        return sum(len(part.memory) for _, _, part in self._waiting if part is not None and part.memory)

    async def _place_waiting(self) -> None:
        while self._waiting:
            some, self._waiting = self._waiting[:AT_A_TIME], self._waiting[AT_A_TIME:]
            await run_in_threadpool(self._place_each, some)

    def _place_each(self, some: list[tuple[int, archive.Incoming, _Part | None]]) -> None:
        for number, item, part in some:
            self._outcomes[number] = self._spool.place(item, self._source, study_uid=self._study_uid)
            if part is not None:
                part.let_go()

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
            words = "The part is not application/dicom. Send whole objects."
            refused = archive.Outcome("refused", "", reason=words, code="not-dicom")
            self._outcomes |= {self._count + n: refused for n in range(1, len(self._bulk) + 1)}
            return
        made = build_objects(self._attributes, self._bulk, most=self._most)
        while (item := await run_in_threadpool(next, made, None)) is not None:
            if isinstance(item, archive.Outcome):
                self._count += 1
                self._outcomes[self._count] = item
            else:
                await self._place(item)

    def _clear(self) -> None:
        part = self._part
        if part is not None and part.file is not None:
            part.file.close()
        if part is not None and part.path is not None:
            part.path.unlink(missing_ok=True)
        for bulk in self._bulk.values():
            bulk.discard()
