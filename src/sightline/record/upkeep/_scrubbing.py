"""Reading every object and holding it against its hash; what is harmed is repaired from the second copy."""

from collections.abc import Iterable, Iterator

from sightline.kernel.errors import PlatformError
from sightline.record import archive
from sightline.record.upkeep import _store as store_
from sightline.record.upkeep._model import Harm, Keeping
from sightline.runtime.blobs import BlobNotHeld, Blobs
from sightline.trust import access, audit

audit.declare("upkeep.repair", "Harmed bytes were replaced from the second copy")
audit.declare("upkeep.damage", "Bytes were found that are not as they were stored")


def check_bytes(blobs: Blobs, held: archive.HeldBytes) -> tuple[Harm | None, int]:
    """Say what is wrong with the bytes of an object, and how many were read."""
    try:
        found, size = archive.hash_of(blobs.stream(held.blob))
    except BlobNotHeld:
        return "missing", 0
    except (PlatformError, OSError):
        return "unreadable", 0
    return (None if found == held.hash else "damaged"), size


def scrub_batch(keeping: Keeping, batch: Iterable[archive.HeldBytes]) -> Iterator[tuple[int, bool, bool]]:
    """Check objects; yield for each the bytes read, whether it was harmed, and whether it was repaired."""
    for held in batch:
        harm, size = check_bytes(keeping.store.blobs, held)
        if harm is None:
            yield size, False, False
            continue
        repaired = _repair(keeping, held)
        with keeping.store.database.transaction() as db:
            store_.note_damage(db, held.blob, held.sop_uid, held.study, harm, repaired=repaired)
            act = "upkeep.repair" if repaired else "upkeep.damage"
            audit.record(db, act, by=access.SYSTEM, on=held.study, sop_uid=held.sop_uid, kind=harm)
        yield size, True, repaired


def _repair(keeping: Keeping, held: archive.HeldBytes) -> bool:
    """Replace harmed bytes by those of the second copy, which are read and proved first."""
    if keeping.cold is None:
        return False
    if check_bytes(keeping.cold, held)[0] is not None:
        return False
    try:
        arriving = keeping.store.blobs.scratch() / f"repair-{held.hash}"
        with arriving.open("wb") as file:
            file.writelines(keeping.cold.stream(held.blob))
        # Gone for a moment: a reader meets "missing" rather than harmed bytes, and a crash is found again.
        keeping.store.blobs.delete(held.blob)
        keeping.store.blobs.put_if_absent(held.blob, arriving, move=True)
    except (PlatformError, OSError):
        return False
    return check_bytes(keeping.store.blobs, held)[0] is None
