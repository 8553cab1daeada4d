"""Bring files, folders, ZIPs and uploads into the archive."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from uuid import uuid4

from sightline.record import archive
from sightline.wire.media._model import ImportSummary, Progress
from sightline.wire.media._sources import Finder
from sightline.wire.media.settings import MediaSettings

# After these nothing more can be stored, so the rest is not tried.
_STOPPING = frozenset({"store-full", "store-unavailable"})


def import_paths(
    store: archive.Store,
    paths: Iterable[Path],
    source: archive.Source,
    *,
    progress: Progress | None = None,
    complete: bool = True,
    settings: MediaSettings | None = None,
) -> ImportSummary:
    """Take in every object in files, folders and ZIPs.

    Parameters
    ----------
    paths : iterable of Path
        What to look through; folders are walked, links to folders are not followed.
    progress : callable, optional
        Is told the summary so far after each object.
    complete : bool
        Say that the studies are complete, so that they settle at once.
    """
    summary = ImportSummary()
    finder = Finder(summary, store.blobs.scratch(), settings or MediaSettings())
    found = (item for path in paths for item in finder.find(path))
    return _import(store, found, source, summary, progress, complete)


def import_stream(
    store: archive.Store,
    name: str,
    chunks: Iterable[bytes],
    source: archive.Source,
    *,
    complete: bool = True,
    settings: MediaSettings | None = None,
) -> ImportSummary:
    """Take in an upload (one object or a ZIP) that comes in pieces; it is never whole in memory."""
    arriving = store.blobs.scratch() / f"upload-{uuid4().hex}"
    summary = ImportSummary()
    try:
        with arriving.open("xb") as file:
            file.writelines(chunks)
        finder = Finder(summary, store.blobs.scratch(), settings or MediaSettings())
        return _import(store, finder.find(arriving, name), source, summary, None, complete)
    finally:
        arriving.unlink(missing_ok=True)


def _import(
    store: archive.Store,
    found: Iterator[archive.Incoming],
    source: archive.Source,
    summary: ImportSummary,
    progress: Progress | None,
    complete: bool,
) -> ImportSummary:
    grown = set()
    for outcome in archive.take_in_stream(store, _until_stopped(found, summary), source):
        summary.add(outcome)
        if outcome.status == "stored":
            grown.add(outcome.study_uid)
        if outcome.code in _STOPPING:
            summary.stopped = outcome.reason
        if progress is not None:
            progress(summary)
    if complete and grown:
        with store.database.transaction() as db:
            archive.settle_now(db, grown)
    return summary


def _until_stopped(found: Iterator[archive.Incoming], summary: ImportSummary) -> Iterator[archive.Incoming]:
    for item in found:
        if summary.stopped:
            return
        yield item
