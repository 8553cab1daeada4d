"""Sending a study on: what is not over there yet, a batch at a time."""

from collections.abc import Iterator

from sightline.kernel.errors import PlatformError
from sightline.record import archive
from sightline.wire import peers
from sightline.wire.transfers import _dicom, _web
from sightline.wire.transfers import _store as store_
from sightline.wire.transfers._model import OtherSideFailed, Server
from sightline.wire.transfers._outgoing import content
from sightline.wire.transfers._progress import Work

BATCH_COUNT = 50
BATCH_BYTES = 64 << 20
PAGE = 5000


def send_study(work: Work, there: Server | peers.Peer) -> None:
    """Send every instance of the study that is not known to be there.

    Raises
    ------
    OtherSideFailed
        If some did not arrive; which and why is kept, and they alone are tried again.
    """
    wanted = _wanted(work)
    with work.database.reading() as db:
        over = store_.items_done(db, work.transfer.id)
    rest = [instance for instance in wanted if instance.sop_uid not in over]
    done = len(wanted) - len(rest)
    work.bytes = work.transfer.bytes
    work.tell(total=len(wanted), done=done, failed=0)
    failed = 0
    for batch in _batches(rest):
        work.check()
        results = _send_batch(work, there, batch)
        sent = [i for i in batch if not results[i.sop_uid]]
        done, failed = done + len(sent), failed + len(batch) - len(sent)
        work.bytes += sum(i.size for i in sent)
        work.note(results, done=done, failed=failed)
    if failed:
        raise OtherSideFailed(f"{failed} of {len(wanted)} instances did not arrive; they are tried again.")


def _wanted(work: Work) -> list[archive.Instance]:
    """Return what is to be sent: the whole study, or what came since it was sent last."""
    study, since = work.transfer.study_uid or "", work.transfer.options.get("since")
    found: list[archive.Instance] = []
    with work.database.reading() as db:
        while True:
            page = archive.find_instances(
                db, archive.InstanceQuery(study=study), limit=PAGE, offset=len(found)
            ).items
            found += page
            if len(page) < PAGE:
                break
    return [i for i in found if since is None or i.received_at.isoformat() >= since]


def _batches(instances: list[archive.Instance]) -> Iterator[list[archive.Instance]]:
    batch: list[archive.Instance] = []
    for instance in instances:
        full = len(batch) >= BATCH_COUNT or sum(i.size for i in batch) + instance.size > BATCH_BYTES
        if batch and full:
            yield batch
            batch = []
        batch.append(instance)
    if batch:
        yield batch


def _send_batch(work: Work, there: Server | peers.Peer, batch: list[archive.Instance]) -> dict[str, str]:
    uids = [instance.sop_uid for instance in batch]
    if isinstance(there, peers.Peer):
        return _dicom.send(work.store, there, uids, work.stopping)
    with _web.open_client(there, work.settings.timeout_s) as client:
        return _web.store_instances(client, [(uid, _content(work, uid)) for uid in uids])


def _content(work: Work, sop_uid: str) -> Iterator[bytes]:
    """Yield the Part 10 file of an instance, with its corrections."""
    try:
        with work.database.reading() as db:
            chunks = content(work.store, db, sop_uid)
        yield from chunks
    except PlatformError as error:  # in the middle of a request: the other side must not take it for whole
        raise OtherSideFailed(f"An instance cannot be read here: {error}") from error
