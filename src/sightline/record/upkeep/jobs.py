"""Jobs of upkeep: a task over everything, and what is done for a study that has settled."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sightline.record import archive, upkeep
from sightline.runtime import events, jobs, processes
from sightline.runtime.blobs import open_blobs


@jobs.job(upkeep.RUN)
def run_task(run: jobs.Run, task: upkeep.Task, number: int) -> None:
    """Walk over every object: check it, copy it, or make a copy to serve from."""
    with _keeping(run) as keeping:
        upkeep.run_task(keeping, task, number)


@jobs.job(upkeep.STUDY)
def keep_study(run: jobs.Run, subject: str, **_: Any) -> None:
    """Copy a study that has settled to the second store, and make copies to serve from, as settings say."""
    with _keeping(run) as keeping:
        upkeep.keep_study(keeping, subject)


@contextmanager
def _keeping(run: jobs.Run) -> Iterator[upkeep.Keeping]:
    store: archive.Store = run.resource("store")
    settings: upkeep.UpkeepSettings = run.resource("upkeep_settings")

    def check() -> None:
        if run.resources.leash.is_cut:
            raise processes.Interrupted

    cold = open_blobs(settings.cold_url) if settings.cold_url else None
    try:
        yield upkeep.Keeping(store, settings, cold, check)
    finally:
        if cold is not None:
            cold.close()


events.listen("StudySettled", keep_study)
