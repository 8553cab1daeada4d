"""Jobs of the archive: the hour's housekeeping, and the index made anew from the bytes."""

from typing import Any

from sightline.kernel import clock
from sightline.record.archive._intake import recover
from sightline.record.archive._keeping import apply_retention, purge
from sightline.runtime import jobs
from sightline.trust import access


@jobs.job("archive-housekeeping")
def keep_in_order(run: jobs.Run, **_: Any) -> None:
    """Put in the trash what retention rules say, and purge what has been there long enough."""
    store = run.resource("store")
    run.step("retain", lambda: apply_retention(store, clock.now(), by=access.SYSTEM))
    run.step("purge", lambda: purge(store, clock.now(), by=access.SYSTEM))


@jobs.job("archive-purge")
def purge_trash(run: jobs.Run, **_: Any) -> None:
    """Purge what has been in the trash long enough: asked for when a person empties it."""
    run.step("purge", lambda: purge(run.resource("store"), clock.now(), by=access.SYSTEM))


@jobs.job("archive-reindex", heavy=True)
def reindex(run: jobs.Run, **_: Any) -> None:
    """Write the rows of all bytes that no row speaks of: after an older database was restored."""
    run.step("recover", lambda: recover(run.resource("store"), everything=True))
