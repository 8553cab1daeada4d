"""Jobs of transfers: an attempt at one, and what the rules say of a study that has settled."""

from typing import Any

from sightline.record import archive
from sightline.runtime import events, jobs, processes
from sightline.wire import transfers


@jobs.job(transfers.RUN)
def run_transfer(run: jobs.Run, transfer: str) -> None:
    """Make one attempt at a transfer."""
    store: archive.Store = run.resource("store")
    settings: transfers.TransferSettings = run.resource("transfer_settings")

    def stopping() -> None:
        if run.resources.leash.is_cut:
            raise processes.Interrupted

    transfers.run_transfer(store, transfer, settings, stopping=stopping)


@jobs.job(transfers.FORWARD)
def forward_study(run: jobs.Run, subject: str, **_: Any) -> None:
    """Ask for what the forwarding rules say of a study that has settled."""
    with run.database.transaction() as db:
        transfers.forward(db, subject)


events.listen("StudySettled", forward_study)
