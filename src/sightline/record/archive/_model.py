"""What the archive holds, what comes in, and what becomes of it: frozen values."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Generic, Literal, TypeAlias, TypeVar

from sightline.kernel.errors import Conflict, Invalid, NotFound
from sightline.record.archive.settings import ArchiveSettings
from sightline.runtime.blobs import Blobs
from sightline.runtime.db import Database
from sightline.trust import access

T = TypeVar("T")

Status: TypeAlias = Literal["stored", "held", "conflict", "refused"]
SourceKind: TypeAlias = Literal["import", "dimse", "stow", "internal"]


class StudyNotHeld(NotFound):
    """The archive holds no study of this UID."""


class SeriesNotHeld(NotFound):
    """The archive holds no series of this UID."""


class InstanceNotHeld(NotFound):
    """The archive holds no instance of this UID."""


class PatientNotHeld(NotFound):
    """The archive holds no such patient."""


class SeveralPatients(Conflict):
    """Patients of several issuers have this ID; name the issuer, or the opaque id of the patient's page."""


class FrameNotHeld(NotFound):
    """The instance has no frame of this number."""


class FrameNotAddressable(Conflict):
    """The frames of this instance cannot be told apart; fetch the whole instance."""


class FrameNotDecodable(Conflict):
    """No decoder here can read the pixels; fetch the frame as it is stored."""


class ObjectInConflict(Conflict):
    """Another object is held under this UID, study or series; it was kept aside for a person."""


class ObjectRefused(Invalid):
    """The bytes are not an instance that can be kept; the message says what is wrong and what to do.

    `reason` is the short code by which wires choose their status: not-dicom, empty, truncated, damaged,
    missing-uid, invalid-uid, too-large, mismatch, other-study, unreadable, rejected.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


# Segmentation, label map, parametric map, dose: PS3.4 table B.5-1.
DERIVED_CLASSES = frozenset(f"1.2.840.10008.5.1.4.1.1.{part}" for part in ("66.4", "66.7", "30", "481.2"))


@dataclass(frozen=True, slots=True)
class Store:
    """What the archive stands on: rows, bytes, settings."""

    database: Database
    blobs: Blobs
    settings: ArchiveSettings = field(default_factory=ArchiveSettings)


@dataclass(frozen=True, slots=True)
class Source:
    """Whence objects come and on whose behalf."""

    kind: SourceKind
    name: str
    person: access.Person


@dataclass(frozen=True, slots=True)
class Incoming:
    """Bytes that want to be held: in memory, or in a file; `ours` says that the file may be consumed.

    Memory lent as a view need stay unchanged only until the object is taken in. `digest` is its content hash
    where the receiver has made it on the way; `announced` are the SOP class and instance that its sender
    spoke of, which it is held against.
    """

    name: str
    content: bytes | memoryview | Path
    ours: bool = False
    digest: str = ""
    announced: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one incoming object."""

    status: Status
    name: str
    sop_uid: str = ""
    sop_class: str = ""
    study_uid: str = ""
    series_uid: str = ""
    reason: str = ""
    code: str = ""
    coerced: bool = False


@dataclass(frozen=True, slots=True)
class Patient:
    """A patient under an opaque id; `patient_id` is what the sender calls them."""

    id: str
    issuer: str
    patient_id: str
    name: str
    birth_date: str
    sex: str


@dataclass(frozen=True, slots=True)
class Study:
    """A study and what of it is held; dates are YYYYMMDD, empty when unknown."""

    uid: str
    patient: str
    patient_id: str
    name: str
    birth_date: str
    sex: str
    date: str
    time: str
    accession: str
    study_id: str
    description: str
    referring: str
    body_part: str
    modalities: tuple[str, ...]
    series_count: int
    instance_count: int
    image_count: int
    bytes: int
    simulated: bool
    first_received: datetime
    last_received: datetime
    settled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Series:
    """A series and what of it is held."""

    uid: str
    study: str
    modality: str
    number: int | None
    description: str
    body_part: str
    date: str
    time: str
    performed_date: str
    performed_time: str
    instance_count: int
    frame_count: int
    bytes: int
    generation: int
    first_received: datetime
    last_received: datetime


@dataclass(frozen=True, slots=True)
class Instance:
    """An instance: where its bytes are and what is needed to find its frames."""

    sop_uid: str
    series: str
    study: str
    sop_class: str
    number: int | None
    transfer_syntax: str
    blob: str
    size: int
    hash: str
    rows: int | None
    columns: int | None
    frames: int | None
    bits: int | None
    position: str
    location_mm: float | None
    received_at: datetime

    @property
    def is_image(self) -> bool:
        """Say whether it has pixels."""
        return self.frames is not None


@dataclass(frozen=True, slots=True)
class ConflictRow:
    """An object kept aside because it disagrees with what is held; a person decides."""

    id: int
    sop_uid: str
    study_uid: str
    kind: str
    reason: str
    blob: str
    source: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class StudyQuery:
    """What is asked of studies; empty fields ask nothing. `name` is a prefix, with * or ? a pattern.

    `whole_name` asks for the whole name instead of its beginning.
    """

    patient: str = ""
    patient_id: str = ""
    name: str = ""
    whole_name: bool = False
    accession: str = ""
    study_id: str = ""
    referring: str = ""
    since: str = ""
    until: str = ""
    time_since: str = ""
    time_until: str = ""
    modality: str = ""
    study_uids: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class SeriesQuery:
    """What is asked of series."""

    study: str = ""
    modality: str = ""
    series_uids: Sequence[str] = ()
    number: int | None = None


@dataclass(frozen=True, slots=True)
class InstanceQuery:
    """What is asked of instances."""

    study: str = ""
    series: str = ""
    sop_class: str = ""
    sop_uids: Sequence[str] = ()
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page; `next` is what to ask the following one with, None at the end."""

    items: tuple[T, ...]
    next: tuple[str, ...] | None = None

    def __iter__(self) -> Iterator[T]:
        """Yield the items."""
        return iter(self.items)

    def __len__(self) -> int:
        """Return how many there are on this page."""
        return len(self.items)


Attributes: TypeAlias = dict[str, Any]
"""A dataset in DICOM JSON (PS3.18 F)."""
