"""STOW-RS: objects arrive in a multipart body and go to the archive in batches (PS3.18 10.5)."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

from starlette.concurrency import run_in_threadpool

from sightline.kernel.errors import Invalid
from sightline.record import archive
from sightline.wire.dicomweb._multipart import Event, PartData, PartEnd, PartStart

# A part up to this size stays in memory; more goes to a file.
IN_MEMORY = 4 << 20
BATCH_COUNT = 100
BATCH_BYTES = 64 << 20

# PS3.18 table I.2-2 and PS3.4 table B.2-1: why an instance failed.
REASONS = {
    "store-full": 0xA700,
    "store-unavailable": 0xA700,
    "other-study": 0xA900,
    "missing-uid": 0xA900,
    "invalid-uid": 0xA900,
    "content": 0x0111,
    "series": 0x0110,
    "patient": 0x0110,
}
CANNOT_UNDERSTAND = 0xC000


class UploadTooLarge(Invalid):
    """One object is larger than this archive accepts; the rest of the request was not read."""

    status = 413


@dataclass(slots=True)
class _Part:
    """One part as it arrives."""

    kind: str
    pieces: list[bytes] = field(default_factory=list)
    size: int = 0
    path: Path | None = None
    file: IO[bytes] | None = None


class Intake:
    """Gathers the parts of one request and hands them to the archive, a batch at a time."""

    def __init__(self, store: archive.Store, source: archive.Source, study_uid: str) -> None:
        self._store = store
        self._source = source
        self._study_uid = study_uid
        self._most = store.settings.max_instance_mib << 20
        self._waiting: list[archive.Incoming] = []
        self._waiting_bytes = 0
        self._part: _Part | None = None
        self.outcomes: list[archive.Outcome] = []

    async def take(self, events: AsyncIterator[Event]) -> list[archive.Outcome]:
        """Take in all parts and return what became of each; a request that breaks off leaves no file."""
        try:
            async for event in events:
                if isinstance(event, PartStart):
                    self._part = _Part(event.headers.get("content-type", "application/dicom").lower())
                elif isinstance(event, PartData):
                    self._add(event.data)
                elif isinstance(event, PartEnd):
                    self._end()
                    if len(self._waiting) >= BATCH_COUNT or self._waiting_bytes >= BATCH_BYTES:
                        await self._hand_over()
            await self._hand_over()
        finally:
            self._clear()
        return self.outcomes

    def _add(self, data: bytes) -> None:
        part = self._part
        if part is None:
            return
        part.size += len(data)
        if part.size > self._most:
            raise UploadTooLarge(f"An object is larger than the {self._most >> 20} MiB that are accepted.")
        if part.file is None and part.size > IN_MEMORY:
            part.path = self._store.blobs.scratch() / f"stow-{uuid4().hex}"
            part.file = part.path.open("xb")
            part.file.writelines(part.pieces)
            part.pieces = []
        if part.file is not None:
            part.file.write(data)
        else:
            part.pieces.append(data)

    def _end(self) -> None:
        part, self._part = self._part, None
        if part is None:
            return
        if part.file is not None:
            part.file.close()
        if not part.kind.startswith("application/dicom") or part.kind.startswith("application/dicom+"):
            if part.path is not None:
                part.path.unlink(missing_ok=True)
            reason = "The part is not application/dicom. Send whole DICOM objects."
            self.outcomes.append(archive.Outcome("refused", "", reason=reason, code="not-dicom"))
            return
        content: bytes | Path = part.path if part.path is not None else b"".join(part.pieces)
        name = f"part {len(self.outcomes) + len(self._waiting) + 1}"
        self._waiting.append(archive.Incoming(name, content, ours=True))
        self._waiting_bytes += part.size

    async def _hand_over(self) -> None:
        waiting, self._waiting, self._waiting_bytes = self._waiting, [], 0
        if waiting:
            self.outcomes += await run_in_threadpool(
                archive.take_in, self._store, waiting, self._source, study_uid=self._study_uid
            )

    def _clear(self) -> None:
        if self._part is not None and self._part.file is not None:
            self._part.file.close()
            if self._part.path is not None:
                self._part.path.unlink(missing_ok=True)
        for item in self._waiting:
            if isinstance(item.content, Path):
                item.content.unlink(missing_ok=True)


def answer(outcomes: list[archive.Outcome], root: str, study_uid: str) -> tuple[int, dict[str, Any]]:
    """Return status and body of the response (PS3.18 10.5.3, table 10.5.3-1)."""
    good = [o for o in outcomes if o.status in {"stored", "held"}]
    named = [o for o in outcomes if o.status not in {"stored", "held"} and o.sop_uid]
    nameless = [o for o in outcomes if o.status not in {"stored", "held"} and not o.sop_uid]
    studies = {o.study_uid for o in good}
    body: dict[str, Any] = {}
    if study_uid or len(studies) == 1:
        body["00081190"] = {"vr": "UR", "Value": [f"{root}/studies/{study_uid or studies.pop()}"]}
    if named:
        body["00081198"] = {"vr": "SQ", "Value": [_reference(o) | _failure(o) for o in named]}
    if good:
        body["00081199"] = {"vr": "SQ", "Value": [_reference(o) | _address(o, root) for o in good]}
    if nameless:
        body["0008119A"] = {"vr": "SQ", "Value": [_failure(o) for o in nameless]}
    status = 200 if len(good) == len(outcomes) else 202 if good else 409
    return status, body


def _reference(outcome: archive.Outcome) -> dict[str, Any]:
    return {
        "00081150": {"vr": "UI", "Value": [outcome.sop_class]},
        "00081155": {"vr": "UI", "Value": [outcome.sop_uid]},
    }


def _address(outcome: archive.Outcome, root: str) -> dict[str, Any]:
    path = f"studies/{outcome.study_uid}/series/{outcome.series_uid}/instances/{outcome.sop_uid}"
    return {"00081190": {"vr": "UR", "Value": [f"{root}/{path}"]}}


def _failure(outcome: archive.Outcome) -> dict[str, Any]:
    """Say why, by the code of the standard and, in Error Comment, in words."""
    return {
        "00000902": {"vr": "LO", "Value": [outcome.reason[:64]]},
        "00081197": {"vr": "US", "Value": [REASONS.get(outcome.code, CANNOT_UNDERSTAND)]},
    }
