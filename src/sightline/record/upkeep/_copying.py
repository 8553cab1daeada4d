"""A second copy of every object elsewhere: copied, read back, proved, listed; and let go with its object."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from sightline.kernel.errors import PlatformError
from sightline.record import archive
from sightline.record.upkeep import _store as store_
from sightline.record.upkeep._model import Copy, CopyKind, Keeping, NotSetUp
from sightline.record.upkeep._scrubbing import check_bytes
from sightline.runtime.blobs import Blobs

PAGE = 500
# A store on the network answers slowly and many at once.
AT_ONCE = 8


def copy_batch(keeping: Keeping, batch: Iterable[archive.HeldBytes]) -> Iterator[tuple[int, bool, bool]]:
    """Copy objects that have no second copy; yield for each its bytes, and whether it could not be copied."""
    cold = require_cold(keeping)
    wanted = list(batch)
    with keeping.store.database.reading() as db:
        known = store_.find_copies(db, "cold", [held.blob for held in wanted])
    keeping.check()

    def copied(held: archive.HeldBytes) -> tuple[int, bool, bool]:
        copy = known.get(held.blob)
        if copy is not None and copy.hash == held.hash and cold.head(held.blob) is not None:
            return 0, False, False
        size = _copy(keeping, cold, held)
        return size or 0, size is None, False

    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="cold-copy") as pool:
        yield from pool.map(copied, wanted)


def _copy(keeping: Keeping, cold: Blobs, held: archive.HeldBytes) -> int | None:
    """Copy one object and prove the copy; None when the object itself is harmed, for scrubbing to find."""
    try:
        cold.put_if_absent(held.blob, keeping.store.blobs.stream(held.blob))
        harm, size = check_bytes(cold, held)
        if harm == "damaged" and check_bytes(keeping.store.blobs, held)[0] is None:
            cold.delete(held.blob)
            cold.put_if_absent(held.blob, keeping.store.blobs.stream(held.blob))
            harm, size = check_bytes(cold, held)
    except PlatformError as error:
        if keeping.store.blobs.head(held.blob) is None:
            return None
        raise error
    if harm is not None:
        cold.delete(held.blob)
        return None
    with keeping.store.database.transaction() as db:
        store_.add_copy(db, Copy(held.blob, "cold", held.blob, size, held.hash))
    return size


def let_go(keeping: Keeping, kind: CopyKind, blobs: Blobs) -> int:
    """Remove the copies of objects that are held no longer: they have no row and no bytes of their own."""
    after, removed = "", 0
    while True:
        with keeping.store.database.reading() as db:
            page = store_.walk_copies(db, kind, after, PAGE)
            unknown = set(archive.blobs_without_row(db, [copy.blob for copy in page]))
        gone = [c for c in page if c.blob in unknown and keeping.store.blobs.head(c.blob) is None]
        for copy in gone:
            blobs.delete(copy.key)
        if gone:
            with keeping.store.database.transaction() as db:
                store_.remove_copies(db, kind, [copy.blob for copy in gone])
        removed += len(gone)
        if len(page) < PAGE:
            return removed
        after = page[-1].blob
        keeping.check()


def require_cold(keeping: Keeping) -> Blobs:
    """Return the second store, or say that there is none."""
    if keeping.cold is None:
        raise NotSetUp("No second store is set; name one in SIGHTLINE_UPKEEP_COLD_URL.")
    return keeping.cold
