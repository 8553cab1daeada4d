"""Jobs of priors held elsewhere: asked for when a study is ordered or arrives, settled when they come."""

from contextlib import suppress
from typing import Any

from sightline.runtime import events, jobs
from sightline.trust import access
from sightline.wire import priors


@jobs.job(priors.ASK)
def ask_source(run: jobs.Run, study: str, source: str, attempt: int) -> None:
    """Ask one source for the earlier studies of a patient, and begin to fetch what is best."""
    timeout_s = run.resource("transfer_settings").timeout_s
    settings = run.resource("prior_settings")
    priors.ask_source(run.database, study, source, attempt, settings, timeout_s=timeout_s)


@jobs.job("priors.ordered")
def ordered(run: jobs.Run, subject: str, study: str = "", **_: Any) -> None:
    """Ask for the earlier studies of the patient for whom an order was entered."""
    if run.resource("prior_settings").on_order:
        _search(run, study, "order")


@jobs.job("priors.settled")
def settled(run: jobs.Run, subject: str, history: str = "", **_: Any) -> None:
    """See whether a study that has arrived was fetched as a prior; if not, ask for its own priors."""
    settings = run.resource("prior_settings")
    with run.database.transaction() as db:
        priors.came(db, subject)
        is_new = not history and priors.is_recent(db, subject, settings)
    if is_new and settings.on_arrival:
        _search(run, subject, "arrival")


@jobs.job("priors.gone")
def gone(run: jobs.Run, subject: str, **_: Any) -> None:
    """Forget what was asked and told for a study that is gone."""
    with run.database.transaction() as db:
        priors.forget_study(db, subject)


def _search(run: jobs.Run, study_uid: str, trigger: priors.Trigger) -> None:
    with run.database.transaction() as db, suppress(priors.StudyNotKnown):
        priors.request_search(db, study_uid, trigger, run.resource("prior_settings"), by=access.SYSTEM)


events.listen("OrderEntered", ordered)
events.listen("StudySettled", settled)
events.listen("StudyGone", gone)
