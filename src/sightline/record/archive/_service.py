"""What may be asked of the archive: settle, find, read, export, store what we made ourselves."""

import gzip
import json
import threading
import warnings
import zlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
import structlog
from blake3 import blake3
from numpy.typing import NDArray
from pydicom import Dataset, dcmread
from pydicom.pixels.utils import pixel_array, unpack_bits
from pydicom.uid import ExplicitVRLittleEndian

from sightline.kernel import clock
from sightline.kernel.errors import Unavailable
from sightline.record.archive import _store as store_
from sightline.record.archive._codecs import DECODER_DEPENDENCIES
from sightline.record.archive._frames import find_frame, join_fragments
from sightline.record.archive._giving import open_instance, open_place
from sightline.record.archive._intake import take_in_one
from sightline.record.archive._model import (
    Attributes,
    ConflictRow,
    FrameNotAddressable,
    FrameNotDecodable,
    FrameNotHeld,
    Incoming,
    Instance,
    InstanceNotHeld,
    InstanceQuery,
    ObjectInConflict,
    ObjectRefused,
    Outcome,
    Page,
    Patient,
    PatientNotHeld,
    Series,
    SeriesNotHeld,
    SeriesQuery,
    SeveralPatients,
    Source,
    Store,
    Study,
    StudyNotHeld,
    StudyQuery,
)
from sightline.record.archive._overlay import Overlay, apply_overlay
from sightline.runtime import events, jobs
from sightline.runtime.blobs import BlobNotHeld, StoreUnavailable
from sightline.runtime.db import Database, Db
from sightline.trust import access, audit

log = structlog.get_logger(__name__)


History: TypeAlias = Literal["retrieved", "migrated"]


def settle_due(db: Db, now: datetime, settle_s: float) -> list[str]:
    """Mark each study that has been quiet for `settle_s` seconds as settled and say so to all who listen."""
    return _settle(db, store_.due_studies(db, now - timedelta(seconds=settle_s)), now)


def settle_now(db: Db, study_uids: Iterable[str], *, history: History | None = None) -> list[str]:
    """Mark studies as settled because their sender says they are complete; return those that were not.

    With `history` they are of the past, brought from another archive: whoever listens is told, so that nobody
    takes them for new work.
    """
    facts = {"history": history} if history else {}
    return _settle(db, store_.unsettled_studies(db, study_uids), clock.now(), **facts)


audit.declare("archive.complete", "A person or sender said that a study is complete")


def complete_study(db: Db, study_uid: str, *, by: access.Person) -> bool:
    """Settle a study because somebody says that it is complete; say whether it was arriving still."""
    access.require(by, "archive.store", on=study_uid)
    get_study(db, study_uid)
    settled = bool(settle_now(db, [study_uid]))
    audit.record(db, "archive.complete", by=by, on=study_uid, settled=settled)
    return settled


def count_unsettled(db: Db) -> int:
    """Return how many studies are still arriving."""
    return store_.count_unsettled(db)


def _settle(db: Db, due: Sequence[tuple[str, str]], now: datetime, **facts: str) -> list[str]:
    for uid, patient in due:
        store_.mark_settled(db, uid, now)
        events.publish(db, "StudySettled", uid, patient=patient, **facts)
    return [uid for uid, _ in due]


HOUSEKEEPING_S = 3600


class Settler:
    """Settles quiet studies, and has the archive kept in order every hour, from a thread of its own."""

    def __init__(self, store: Store) -> None:
        self._database: Database = store.database
        self._settle_s = store.settings.settle_s
        self._every_s = min(max(store.settings.settle_s / 10, 0.25), 5)
        self._stopping = threading.Event()
        self._kept_in_order = 0
        self._thread = threading.Thread(target=self._run, name="settler", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Stop, after what is being settled."""
        self._stopping.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._stopping.wait(self._every_s):
            try:
                with self._database.reading() as db:
                    due = store_.is_any_due(db, clock.now() - timedelta(seconds=self._settle_s))
                if due:
                    with self._database.transaction() as db:
                        settle_due(db, clock.now(), self._settle_s)
                self._keep_in_order()
            except Exception as error:  # noqa: BLE001  a lost connection must not end the thread
                log.error("settling failed", error=type(error).__name__)

    def _keep_in_order(self) -> None:
        """Enqueue the hour's housekeeping: one job, however many servers do so."""
        hour = int(clock.now().timestamp()) // HOUSEKEEPING_S
        if hour == self._kept_in_order or not any(
            kind.name == "archive-housekeeping" for kind in jobs.kinds()
        ):
            return
        with self._database.transaction() as db:
            jobs.enqueue(db, "archive-housekeeping", key=f"archive-housekeeping-{hour}")
        self._kept_in_order = hour


def find_studies(
    db: Db, query: StudyQuery, *, limit: int = 50, after: tuple[str, str] | None = None, offset: int = 0
) -> Page[Study]:
    """Return one page of matching studies, newest first; `after` is the `next` of the page before."""
    return store_.studies_where(db, query, limit=limit, after=after, offset=offset)


def get_study(db: Db, uid: str) -> Study:
    """Return a study or raise `StudyNotHeld`."""
    found = store_.studies_where(db, StudyQuery(study_uids=[uid]), limit=1).items
    if not found:
        raise StudyNotHeld(f"No study {uid} is held.", study=uid)
    return found[0]


def get_series(db: Db, uid: str) -> Series:
    """Return a series or raise `SeriesNotHeld`."""
    found = store_.series_where(db, SeriesQuery(series_uids=[uid]), limit=1)
    if not found:
        raise SeriesNotHeld(f"No series {uid} is held.", series=uid)
    return found[0]


def get_instance(db: Db, sop_uid: str) -> Instance:
    """Return an instance or raise `InstanceNotHeld`."""
    found = store_.get_instance(db, sop_uid)
    if found is None:
        raise InstanceNotHeld(f"No instance {sop_uid} is held.", instance=sop_uid)
    return found


def get_studies(db: Db, uids: Sequence[str]) -> dict[str, Study]:
    """Return those of the studies that are held, by UID: one query for all."""
    found = store_.studies_where(db, StudyQuery(study_uids=uids), limit=len(uids)).items if uids else ()
    return {study.uid: study for study in found}


def find_series(db: Db, query: SeriesQuery, *, limit: int | None = None, offset: int = 0) -> Page[Series]:
    """Return matching series, by study and number."""
    return Page(tuple(store_.series_where(db, query, limit=limit, offset=offset)))


def series_of_study(db: Db, study_uid: str) -> list[Series]:
    """Return all series of a study, by number."""
    return store_.series_where(db, SeriesQuery(study=study_uid))


def sop_uids_of(db: Db, series_uid: str) -> list[str]:
    """Return the SOP Instance UIDs of a series, in the order of `sorted_instances`."""
    return [instance.sop_uid for instance in sorted_instances(db, series_uid)]


def find_instances(
    db: Db, query: InstanceQuery, *, limit: int | None = None, offset: int = 0
) -> Page[Instance]:
    """Return matching instances, by series and number."""
    return Page(tuple(store_.instances_where(db, query, limit=limit, offset=offset)))


def get_patient(db: Db, id: str) -> Patient:  # noqa: A002
    """Return the patient of an opaque id, or whom they were merged into; or raise `PatientNotHeld`."""
    found = store_.find_patient(db, id=id)
    if found is None and (merged := store_.merged_into(db, id)) is not None:
        found = store_.find_patient(db, id=merged)
    if found is None:
        raise PatientNotHeld("No such patient is held.")
    return found


def ids_of_patient(db: Db, id: str) -> list[str]:  # noqa: A002
    """Return the opaque id of a patient and then those of whoever was merged into them.

    What others keep by patient they find under all of these, so that a merge, and its undoing, moves nothing.
    """
    current = get_patient(db, id).id
    return [current, *store_.former_ids(db, current)]


def patients_called(db: Db, patient_id: str) -> list[Patient]:
    """Return the patients of every issuer whom senders call `patient_id`."""
    return store_.patients_called(db, patient_id) if patient_id else []


def get_patient_called(db: Db, called: str, issuer: str | None = None) -> Patient:
    """Return the patient whom senders call so, of one issuer if given ("": of none), or of this opaque id.

    Raises
    ------
    SeveralPatients
        If more than one is called so: which of them is meant is never guessed.
    PatientNotHeld
        If nobody is.
    """
    found = [one for one in patients_called(db, called) if issuer is None or one.issuer == issuer]
    if len(found) > 1:
        issuers = ", ".join(one.issuer or "(none)" for one in found)
        raise SeveralPatients(
            f"Patients of several issuers have this ID: {issuers}. Name the issuer with --issuer, "
            "or the patient by the opaque id of their page."
        )
    if not found and issuer is not None:
        raise PatientNotHeld("No patient of this ID and issuer is held; look with: sightline archive search.")
    return found[0] if found else get_patient(db, called)


def studies_of_patient(db: Db, patient: str) -> list[Study]:
    """Return all studies of a patient (opaque id), or of whom they were merged into, newest first."""
    found = store_.studies_where(db, StudyQuery(patient=patient), limit=10_000).items
    if not found and (merged := store_.merged_into(db, patient)) is not None:
        found = store_.studies_where(db, StudyQuery(patient=merged), limit=10_000).items
    return list(found)


def find_conflicts(db: Db, study_uid: str = "") -> list[ConflictRow]:
    """Return the objects that were kept aside and await a decision, of one study or of all."""
    return store_.conflicts_of(db, study_uid)


def series_metadata_gz(
    store: Store, db: Db, series_uid: str, *, later: Callable[[Callable[[], None]], object] | None = None
) -> tuple[bytes, str]:
    """Return the DICOM JSON of a series, gzipped, and its ETag; made again only when it has grown.

    `later` takes the keeping of what was made, to be done after the answer.
    """
    held = get_series(db, series_uid)
    series = blake3(series_uid.encode()).hexdigest()[:32]
    # The moment is part of the state: an index that was rebuilt may count to the same number again.
    state = blake3(f"{held.generation} {held.last_received.isoformat()}".encode()).hexdigest()[:32]
    folder = f"metadata/{series[:2]}/{series}/"
    key = f"{folder}{state}.json.gz"
    with suppress(BlobNotHeld):
        return store.blobs.get(key), f'"{state}"'
    body = gzip.compress(metadata_json(db, InstanceQuery(series=series_uid)), 3, mtime=0)

    def keep() -> None:
        with suppress(Unavailable):  # a full disk keeps nobody from reading
            for old in list(store.blobs.list(folder)):
                store.blobs.delete(old)
            store.blobs.put_if_absent(key, body)

    if later is None:
        keep()
    else:
        later(keep)
    return body, f'"{state}"'


def metadata_json(db: Db, query: InstanceQuery) -> bytes:
    """Return the DICOM JSON of the matching instances as one array, as they are given out."""
    found = store_.metadata_of(db, query)
    overlays = store_.overlays_of(db, {series for _, series, _ in found})
    return b"[" + b",".join(_shown(packed, overlays.get(series)) for _, series, packed in found) + b"]"


def _shown(packed: bytes, overlay: Overlay | None) -> bytes:
    body = zlib.decompress(packed)
    if overlay is None:
        return body
    shown = dict(sorted(apply_overlay(json.loads(body), overlay).items()))
    return json.dumps(shown, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def frame(store: Store, db: Db, sop_uid: str, number: int = 1) -> tuple[bytes, str]:
    """Return frame `number`, counted from 1, as it is stored, and its transfer syntax: one ranged read."""
    blob, syntax, table = _frame_source(db, sop_uid)
    try:
        place = find_frame(table, number)
    except FrameNotAddressable:
        return _frame_of_whole(store, blob, number), str(ExplicitVRLittleEndian)
    return join_fragments(store.blobs.get_range(blob, place.offset, place.length), place), syntax


def _frame_source(db: Db, sop_uid: str) -> tuple[str, str, bytes | None]:
    found = store_.frame_source(db, sop_uid)
    if found is None:
        raise InstanceNotHeld(f"No instance {sop_uid} is held.", instance=sop_uid)
    return found


def _frame_of_whole(store: Store, blob: str, number: int) -> bytes:
    """Return a native frame of an object whose frames have no address: deflated, or of bits not bytes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ds = dcmread(_whole(store, blob))
    if ds.file_meta.TransferSyntaxUID.is_encapsulated:
        raise FrameNotAddressable(
            "The frames of this instance cannot be read apart; fetch the whole instance."
        )
    frames = int(ds.get("NumberOfFrames") or 1)
    if not 1 <= number <= frames:
        raise FrameNotHeld(f"The instance has {frames} frame(s), and no frame {number}.")
    values = ds.Rows * ds.Columns * ds.get("SamplesPerPixel", 1)
    if ds.BitsAllocated == 1:
        bits = unpack_bits(ds.PixelData)[(number - 1) * values : number * values]
        return np.packbits(np.asarray(bits), bitorder="little").tobytes()
    length = values * ds.BitsAllocated // 8
    return bytes(ds.PixelData[(number - 1) * length : number * length])


def instance_bytes(store: Store, db: Db, sop_uid: str) -> bytes:
    """Return an instance as Part 10 bytes: those that were received, but for what was corrected since."""
    return open_instance(store, db, sop_uid).read()


def read_pixels(
    store: Store, db: Db, sop_uid: str, number: int = 1, *, raw: bool = False
) -> tuple[NDArray[Any], Dataset]:
    """Return one decoded frame, and the header it is to be read with.

    Parameters
    ----------
    number : int
        The frame, counted from 1.
    raw : bool
        Leave colour as it is stored; otherwise YBR becomes RGB.

    Returns
    -------
    array (row, column) or (row, column, sample), and Dataset
        Stored values, before any rescale.
    """
    instance = get_instance(db, sop_uid)
    if not instance.frames or not 1 <= number <= instance.frames:
        raise FrameNotHeld(f"The instance has {instance.frames or 0} frame(s), and no frame {number}.")
    header = read_dataset(store, db, sop_uid, pixels=False)
    source = _whole(store, instance.blob)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return pixel_array(source, index=number - 1, raw=raw), header
    except Exception as error:  # each decoder raises what it likes
        raise FrameNotDecodable(
            f"No decoder here reads this frame ({instance.transfer_syntax}); fetch it as it is stored."
        ) from error


def _whole(store: Store, blob: str) -> Path | BytesIO:
    return store.blobs.open_local_path(blob) or BytesIO(store.blobs.get(blob))


def read_dataset(store: Store, db: Db, sop_uid: str, *, pixels: bool = True) -> Dataset:
    """Return one instance as a pydicom dataset, as it is given out."""
    place = store_.place_of(db, sop_uid)
    if place is None:
        raise InstanceNotHeld(f"No instance {sop_uid} is held.", instance=sop_uid)
    return _read_place(store, place, pixels=pixels)


def read_datasets(store: Store, db: Db, series_uid: str, *, pixels: bool = True) -> list[Dataset]:
    """Return the instances of a series as pydicom datasets, along the slice normal where they have one."""
    ordered = sorted_instances(db, series_uid)
    places = store_.places_of(db, [i.sop_uid for i in ordered])
    return [_read_place(store, places[i.sop_uid], pixels=pixels) for i in ordered]


def _read_place(store: Store, place: store_.Place, *, pixels: bool) -> Dataset:
    local = None if place.overlay else store.blobs.open_local_path(place.blob)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if local is not None:
            return dcmread(local, stop_before_pixels=not pixels)
        with open_place(store, place).open() as file:
            return dcmread(file, stop_before_pixels=not pixels)


def sorted_instances(db: Db, series_uid: str) -> list[Instance]:
    """Return the instances of a series along their slice normal; by number where one has no position."""
    found = store_.instances_where(db, InstanceQuery(series=series_uid))
    if not found:
        raise SeriesNotHeld(f"No series {series_uid} is held.", series=series_uid)
    if all(i.location_mm is not None for i in found):
        found.sort(key=lambda i: (i.location_mm, i.number or 0, i.sop_uid))
    return found


def export_series(store: Store, db: Db, series_uid: str, folder: Path) -> list[Path]:
    """Copy the files of a series into `folder`, numbered along the slice normal; return them.

    Copies, not links: whoever works in the folder must not be able to change what is held.
    """
    written = []
    ordered = sorted_instances(db, series_uid)
    places = store_.places_of(db, [i.sop_uid for i in ordered])
    for n, instance in enumerate(ordered):
        path = folder / f"{n:06d}.dcm"
        with path.open("wb") as file:
            for chunk in open_place(store, places[instance.sop_uid]).chunks():
                file.write(chunk)
        if instance.transfer_syntax in DECODER_DEPENDENCIES:
            _decode_file(path)
        written.append(path)
    return written


def _decode_file(path: Path) -> None:
    """Decode what other programs may have no decoder for, so that any reader of the folder can read it.

    What cannot be decoded stays as it is: whoever reads it says so, in words for what they wanted of it.
    """
    try:
        ds = dcmread(path)
        ds.decompress(generate_instance_uid=False)
    except Exception:  # noqa: BLE001  decoders raise what they like
        return
    ds.save_as(path)


def store_dataset(store: Store, dataset: Dataset, source: Source) -> Outcome:
    """Store an object that we made ourselves (SR, SEG, PDF); the same object again is held already.

    The study does not count as arriving again because of it.

    Raises
    ------
    StoreUnavailable, ObjectInConflict, ObjectRefused
        If it is not held afterwards: what we made ourselves must never be lost in silence.
    """
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    outcome = take_in_one(store, Incoming("our own object", buffer.getvalue()), source)
    if outcome.code in {"store-full", "store-unavailable"}:
        raise StoreUnavailable(outcome.reason)
    if outcome.status == "conflict":
        raise ObjectInConflict(outcome.reason, instance=outcome.sop_uid)
    if outcome.status == "refused":
        raise ObjectRefused(outcome.code, outcome.reason)
    return outcome


def attributes_of(db: Db, sop_uid: str) -> Attributes:
    """Return the DICOM JSON of one instance."""
    found = json.loads(metadata_json(db, InstanceQuery(sop_uids=[sop_uid])))
    if not found:
        raise InstanceNotHeld(f"No instance {sop_uid} is held.", instance=sop_uid)
    attributes: Attributes = found[0]
    return attributes
