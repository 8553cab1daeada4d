"""Jobs of DICOM: answers that are owed to peers, and what they are told."""

from typing import Any

from sightline.runtime import events
from sightline.runtime.jobs import Run, job
from sightline.wire.dimse import _availability as availability
from sightline.wire.dimse import _commitment as commitment
from sightline.wire.dimse import _seeking as seeking
from sightline.wire.dimse._store import Key


@job("commitment-answer")
def answer(run: Run, *, transaction: str, peer: str, attempt: int) -> None:
    """Tell a peer which of the objects that it asked about are safe here."""
    commitment.tell_peer(run.resource("store"), Key("given", transaction, peer), attempt)


@job("commitment-request")
def request(run: Run, *, transaction: str, peer: str, attempt: int) -> None:
    """Ask a peer whether what was sent to it is safe there."""
    seeking.ask_peer(run.database, Key("asked", transaction, peer), attempt)


@job("availability-announce")
def announce(run: Run, *, subject: str, **_: Any) -> None:
    """Have peers told that a study is complete."""
    availability.announce_study(run.database, subject, run.key)


@job("availability-tell")
def tell(run: Run, *, study: str, peer: str, cause: str, attempt: int) -> None:
    """Tell a peer what of a study is held."""
    availability.tell_peer(run.database, study, peer, cause, attempt)


events.listen("StudySettled", announce)
