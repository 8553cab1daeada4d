"""Uploads in pieces: each is durable before it is acknowledged, so that an upload goes on where it stood.

The pieces are blobs and the state is a row, so any server of the installation can take the next piece.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

from sightline.kernel import clock
from sightline.record import archive
from sightline.runtime import jobs
from sightline.runtime.db import Db
from sightline.trust import access, audit
from sightline.wire.media import _store as store_
from sightline.wire.media._model import ImportSummary, Upload, UploadNotKnown, UploadTooLarge, WrongOffset
from sightline.wire.media._service import import_stream
from sightline.wire.media.settings import MediaSettings

# A piece is held in memory while it is written.
MOST_PIECE = 64 << 20
# A file up to this size is taken in before its last piece is acknowledged; a larger one by a job.
AT_ONCE = 64 << 20
# As many results as a person would scroll through; the counts are of all.
MOST_RESULTS = 10_000
SWEEP = 20
TAKE_IN_UPLOAD = "take-in-upload"

audit.declare("media.upload-begin", "A person began to upload a file")
audit.declare("media.upload-end", "An uploaded file was here in whole and its objects were taken in")


def begin_upload(
    store: archive.Store, name: str, size: int, *, by: access.Person, settings: MediaSettings
) -> Upload:
    """Begin an upload of `size` bytes; `name` is what its sender calls it, kept until it is dropped."""
    access.require(by, "archive.store")
    most = int(settings.max_upload_gib * (1 << 30))
    if size > most:
        raise UploadTooLarge(f"The file has {size} bytes, and at most {most} are taken in one upload.")
    _sweep(store, settings)
    upload = Upload(uuid4().hex, by.id, name[:255], size, 0, "receiving")
    with store.database.transaction() as db:
        store_.add_upload(db, upload)
        audit.record(db, "media.upload-begin", by=by, on=upload.id, bytes=size)
    return upload


def get_upload(db: Db, id: str, *, by: access.Person) -> Upload:  # noqa: A002
    """Return one's own upload."""
    found = store_.find_upload(db, id)
    if found is None or found.person != by.id:
        raise UploadNotKnown("There is no such upload; begin it again.")
    return found


def add_piece(
    store: archive.Store,
    id: str,  # noqa: A002
    offset: int,
    piece: bytes,
    *,
    by: access.Person,
    settings: MediaSettings,
) -> Upload:
    """Keep the next piece; with the last one, take the file in or have a job do it.

    Raises
    ------
    WrongOffset
        If the piece does not begin where the upload stands; nothing was kept.
    """
    access.require(by, "archive.store")
    with store.database.reading() as db:
        upload = get_upload(db, id, by=by)
    _require_fit(upload, offset, len(piece))
    store.blobs.put_if_absent(_key(id, offset, len(piece)), piece)
    with store.database.transaction() as db:
        held = store_.find_upload(db, id, locked=True)
        if held is None or held.offset != offset:
            raise WrongOffset(f"The upload stands at {held.offset if held else 0}; go on from there.")
        reached = offset + len(piece)
        store_.change_upload(
            db, id, offset=reached, state="waiting" if reached == upload.size else "receiving"
        )
        if reached == upload.size and upload.size > AT_ONCE:
            person = {"name": by.name, "username": by.username, "roles": sorted(by.roles), "site": by.site}
            jobs.enqueue(db, TAKE_IN_UPLOAD, key=f"upload-{id}", upload=id, person=person, by=by.id)
    if reached == upload.size and upload.size <= AT_ONCE:
        take_in_upload(store, id, by=by, settings=settings)
    with store.database.reading() as db:
        return get_upload(db, id, by=by)


def take_in_upload(store: archive.Store, id: str, *, by: access.Person, settings: MediaSettings) -> None:  # noqa: A002
    """Take in what was uploaded; to do it again changes nothing."""
    with store.database.reading() as db:
        upload = store_.find_upload(db, id)
    if upload is None or upload.state != "waiting":
        return
    source = archive.Source("import", "upload", by)
    summary = import_stream(store, upload.name, _pieces(store, id, upload.size), source, settings=settings)
    with store.database.transaction() as db:
        state = "failed" if summary.stopped else "done"
        store_.change_upload(db, id, state=state, results=_results(summary)[:MOST_RESULTS])
        counts = {"stored": summary.stored, "held": summary.held, "refused": len(summary.refused)}
        audit.record(db, "media.upload-end", by=by, on=id, conflicts=len(summary.conflicts), **counts)
    _drop_pieces(store, id)


def _require_fit(upload: Upload, offset: int, length: int) -> None:
    if upload.state != "receiving":
        raise WrongOffset("The upload is complete; nothing more is taken.")
    if offset != upload.offset:
        raise WrongOffset(f"The upload stands at {upload.offset}; go on from there.", at=str(upload.offset))
    if length > MOST_PIECE or offset + length > upload.size:
        raise UploadTooLarge("The piece is larger than 64 MiB, or goes beyond the stated size.")


def _results(summary: ImportSummary) -> list[dict[str, Any]]:
    """Return one line per object that needs a look, then one per study that was taken in."""
    lines = [
        {"name": name, "status": status, "reason": reason, "study_uid": None}
        for status, items in (
            ("refused", summary.refused),
            ("conflict", summary.conflicts),
            ("skipped", summary.skipped),
        )
        for name, reason in items
    ]
    if summary.stopped:
        lines.insert(0, {"name": "", "status": "stopped", "reason": summary.stopped, "study_uid": None})
    taken = [
        {"name": "", "status": "stored", "reason": f"{count} objects", "study_uid": uid}
        for uid, count in summary.studies.items()
    ]
    return lines + taken


def _folder(id: str) -> str:  # noqa: A002
    return f"uploads/{id}/"


def _key(id: str, offset: int, length: int) -> str:  # noqa: A002
    # The length is part of the name: after a lost answer the sender may cut the file differently.
    return f"{_folder(id)}{offset:016d}-{length:08d}"


def _pieces(store: archive.Store, id: str, size: int) -> Iterator[bytes]:  # noqa: A002
    """Yield the file; a piece that nothing follows was kept but never acknowledged, and is passed over."""
    chosen: dict[int, str] = {}
    reached = {size}
    for key in sorted(store.blobs.list(_folder(id)), reverse=True):
        offset, length = (int(part) for part in key.rsplit("/", 1)[1].split("-"))
        if offset + length in reached:
            reached.add(offset)
            chosen[offset] = key
    offset = 0
    while offset < size:
        piece = store.blobs.get(chosen[offset])
        offset += len(piece)
        yield piece


def _drop_pieces(store: archive.Store, id: str) -> None:  # noqa: A002
    for key in list(store.blobs.list(_folder(id))):
        store.blobs.delete(key)


def _sweep(store: archive.Store, settings: MediaSettings) -> None:
    """Drop a few of the uploads that nobody has gone on with."""
    with store.database.reading() as db:
        stale = store_.stale_uploads(db, clock.now() - timedelta(days=settings.upload_days), SWEEP)
    for upload in stale:
        _drop_pieces(store, upload.id)
        with store.database.transaction() as db:
            store_.remove_upload(db, upload.id)
