"""Use cases of transfers: ask for one, watch, cancel, try again; the rules and the servers behind them."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from sightline.kernel import clock
from sightline.record import archive
from sightline.runtime import jobs
from sightline.runtime.db import Db
from sightline.trust import access, audit
from sightline.wire import peers
from sightline.wire.transfers import _store as store_
from sightline.wire.transfers._model import (
    OPEN,
    STATES,
    DestinationNotKnown,
    Kind,
    NotATransfer,
    Rule,
    RuleNotKnown,
    Server,
    ServerNotKnown,
    StudyReport,
    Transfer,
    TransferEnded,
    TransferNotKnown,
    TransferUnderWay,
    checked_rule,
    checked_server,
)
from sightline.wire.transfers._outgoing import labels_of, sources_of

RUN = "transfers.run"
FORWARD = "transfers.forward"
MOST_STUDIES = 1000
CANDIDATES = 200

audit.declare("transfer.start", "A transfer of a study or an archive was asked for")
audit.declare("transfer.end", "A transfer ended: complete, failed or cancelled")
audit.declare("transfer.cancel", "A transfer was cancelled")
audit.declare("transfer.retry", "A transfer was tried again")
audit.declare("transfer.rule", "A forwarding rule was set")
audit.declare("transfer.unrule", "A forwarding rule was removed")
audit.declare("transfer.server", "A DICOMweb server was made known or changed")
audit.declare("transfer.unserver", "A DICOMweb server was removed")


def find_other(db: Db, name: str) -> Server | peers.Peer:
    """Return the DICOMweb server or the peer of this name.

    Raises
    ------
    DestinationNotKnown
        If there is neither, or the peer cannot be called.
    """
    server = store_.get_server(db, name)
    if server is not None:
        return server
    try:
        peer = peers.find_peer(db, name)
    except peers.PeerNotKnown:
        raise DestinationNotKnown(
            "Neither a peer nor a DICOMweb server has this name; add it first.", name=name[:64]
        ) from None
    if not peer.enabled or not peer.host:
        raise DestinationNotKnown("This peer is disabled or has no address to call.", name=peer.title)
    return peer


def start_transfers(
    db: Db,
    kind: Kind,
    peer: str,
    studies: Sequence[str] = (),
    *,
    by: access.Person,
    rule: str = "",
    **options: Any,
) -> list[Transfer]:
    """Ask for studies to be sent to, or retrieved from, `peer`, or for a migration of all that it has.

    A study that waits already to be transferred so is not asked for twice.

    Parameters
    ----------
    kind : {"send", "retrieve", "migrate"}
    peer : str
        Title of a peer or name of a DICOMweb server.
    studies : sequence of str
        Study Instance UIDs; none for a migration.
    **options
        ``studies_per_hour`` of a migration; ``verify`` fetches what is held already too, and compares;
        ``since`` of a sending.
    """
    access.require(by, "archive.export" if kind == "send" else "archive.store")
    find_other(db, peer)
    if kind == "migrate":
        access.require(by, "system.maintain")
        wanted: list[str | None] = [None]
    else:
        wanted = list(dict.fromkeys(studies))
        if not 0 < len(wanted) <= MOST_STUDIES:
            raise NotATransfer(f"Name 1 to {MOST_STUDIES} studies.")
    if kind == "send":
        held = archive.get_studies(db, [uid for uid in wanted if uid])
        for uid in wanted:
            if uid not in held:
                raise archive.StudyNotHeld(f"No study {uid} is held.", study=str(uid))
    return [_ask(db, kind, peer, uid, rule, options, by) for uid in wanted]


def start_folder(db: Db, folder: Path, *, by: access.Person) -> Transfer:
    """Ask for a folder of this machine to be taken over; only who works on the machine may."""
    access.require(by, "system.maintain")
    access.require(by, "archive.store")
    if not folder.is_dir():
        raise NotATransfer("This is not a folder; name the folder that the other archive keeps its files in.")
    return _ask(db, "import", folder.name or "/", None, "", {"folder": str(folder.absolute())}, by)


def _ask(
    db: Db, kind: Kind, peer: str, study: str | None, rule: str, options: dict[str, Any], by: access.Person
) -> Transfer:
    same = store_.is_open(db, kind, peer, study) if kind != "import" else None
    if same is not None:
        return get_transfer(db, same)
    now = clock.now()
    row = {
        "id": uuid4().hex,
        "kind": kind,
        "peer": peer,
        "study_uid": study,
        "state": "waiting",
        **dict.fromkeys(("total", "done", "failed", "bytes", "attempts", "queued"), 0),
        "created_at": now,
        "due_at": now,
        "error": "",
        "rule": rule,
        "options": options,
        "person": _person_json(by),
    }
    store_.add_transfer(db, row)
    audit.record(db, "transfer.start", by=by, on=study or str(row["id"]), kind=kind, peer=peer, rule=rule)
    return get_transfer(db, str(row["id"]))


def _person_json(person: access.Person) -> dict[str, Any]:
    values = asdict(person)
    scopes = None if person.scopes is None else sorted(person.scopes)
    return values | {
        "roles": sorted(values["roles"]),
        "scopes": scopes,
    }


def person_of(db: Db, id: str) -> access.Person:  # noqa: A002
    """Return on whose behalf a transfer runs."""
    values = store_.person_of(db, id)
    scopes = values["scopes"]
    values |= {"roles": frozenset(values["roles"]), "scopes": None if scopes is None else frozenset(scopes)}
    return access.Person(**values)


def dispatch(db: Db, *, at_once: int) -> int:
    """Enqueue the transfers that are due: `at_once` in all, and one to each destination at a time."""
    busy = store_.queued_peers(db)
    free, taken, begun = at_once - len(busy), set(busy), 0
    if free <= 0:
        return 0
    for id_, peer, attempts in store_.due_transfers(db, clock.now(), CANDIDATES):
        if peer in taken:
            continue
        store_.change_transfer(db, id_, queued=attempts + 1)
        jobs.enqueue(db, RUN, key=f"transfer-{id_}-{attempts + 1}", transfer=id_)
        taken.add(peer)
        begun += 1
        if begun == free:
            break
    return begun


def list_transfers(
    db: Db, *, state: str = "", limit: int = 50, after: tuple[datetime, str] | None = None, by: access.Person
) -> list[Transfer]:
    """Return transfers, newest first."""
    access.require(by, "peer.read")
    if state and state not in STATES:
        raise NotATransfer(f"A state is one of {', '.join(STATES)}.")
    return store_.find_transfers(db, state, limit=limit, after=after)


def get_transfer(db: Db, id: str) -> Transfer:  # noqa: A002
    """Return a transfer or raise `TransferNotKnown`."""
    found = store_.get_transfer(db, id)
    if found is None:
        raise TransferNotKnown("No transfer has this id.")
    return found


def transfers_named(db: Db, ids: Collection[str]) -> dict[str, Transfer]:
    """Return those of some transfers that there are, by id: one query for all."""
    return {found.id: found for found in store_.transfers_named(db, ids)} if ids else {}


def failures_of(db: Db, id: str, *, by: access.Person) -> list[tuple[str, str]]:  # noqa: A002
    """Return which instances of a transfer failed, and why."""
    access.require(by, "peer.read")
    get_transfer(db, id)
    return store_.failures_of(db, id)


def report_of(
    db: Db,
    id: str,  # noqa: A002
    *,
    limit: int = 100,
    after: str = "",
    by: access.Person,
) -> list[StudyReport]:
    """Return what became of each study of a migration, by UID."""
    access.require(by, "peer.read")
    get_transfer(db, id)
    return store_.studies_of(db, id, limit=limit, after=after)


def cancel(db: Db, id: str, *, by: access.Person) -> Transfer:  # noqa: A002
    """End a transfer; what went over stays over."""
    found = _locked(db, id)
    access.require(by, "archive.export" if found.kind == "send" else "archive.store")
    if found.state not in OPEN:
        raise TransferEnded("The transfer has ended already.")
    store_.change_transfer(db, id, state="cancelled", ended_at=clock.now())
    audit.record(db, "transfer.cancel", by=by, on=found.study_uid or id, peer=found.peer)
    return get_transfer(db, id)


def retry(db: Db, id: str, *, by: access.Person) -> Transfer:  # noqa: A002
    """Try a transfer again at once: what did not go over, and nothing twice."""
    found = _locked(db, id)
    access.require(by, "archive.export" if found.kind == "send" else "archive.store")
    if found.state == "running":
        raise TransferUnderWay("The transfer runs; wait for its end or cancel it.")
    # The number of an attempt names its job, and one that was lost must not be asked for again.
    attempts = store_.next_attempt(db, id)
    store_.change_transfer(
        db,
        id,
        state="waiting",
        due_at=clock.now(),
        attempts=attempts,
        ended_at=None,
        error="",
        options=found.options | {"tried_before": attempts},
    )
    audit.record(db, "transfer.retry", by=by, on=found.study_uid or id, peer=found.peer)
    return get_transfer(db, id)


def _locked(db: Db, id: str) -> Transfer:  # noqa: A002
    found = store_.get_transfer(db, id, locked=True)
    if found is None:
        raise TransferNotKnown("No transfer has this id.")
    return found


def list_rules(db: Db, *, by: access.Person) -> tuple[Rule, ...]:
    """Return the forwarding rules, by name."""
    access.require(by, "peer.read")
    return store_.find_rules(db)


def put_rule(db: Db, rule: Rule, *, by: access.Person) -> Rule:
    """Set a forwarding rule: from now on, studies that settle and match are sent."""
    access.require(by, "peer.manage")
    new = checked_rule(rule)
    for name in new.to:
        find_other(db, name)
    store_.put_rule(db, new)
    audit.record(db, "transfer.rule", by=by, on=new.name, to=list(new.to), enabled=new.enabled)
    return new


def remove_rule(db: Db, name: str, *, by: access.Person) -> None:
    """Remove a forwarding rule; what it started goes on."""
    access.require(by, "peer.manage")
    if not store_.remove_rule(db, name):
        raise RuleNotKnown("No forwarding rule has this name; nothing was removed.")
    audit.record(db, "transfer.unrule", by=by, on=name[:128])


def list_servers(db: Db, *, by: access.Person) -> tuple[Server, ...]:
    """Return the DICOMweb servers, by name, without their secrets."""
    access.require(by, "peer.read")
    return tuple(replace(s, secret="***" if s.secret else "") for s in store_.find_servers(db))


def put_server(db: Db, server: Server, *, keep_secret: bool = False, by: access.Person) -> Server:
    """Make a DICOMweb server known, or change it.

    `keep_secret` keeps the secret so far, as long as the address stays on the same host: a secret never goes
    to a place that it was not entered for.
    """
    access.require(by, "peer.manage")
    known = store_.get_server(db, server.name)
    if keep_secret and known is not None and _origin(known.url) == _origin(server.url):
        server = replace(server, secret=known.secret)
    new = checked_server(server)
    if any(peer.title == new.name for peer in peers.list_peers(db, by=access.SYSTEM)):
        raise TransferUnderWay("A peer has this name; choose another for the server.")
    store_.put_server(db, new)
    audit.record(
        db, "transfer.server", by=by, on=new.name, url=new.url, auth_kind=new.auth_kind, priors=new.priors
    )
    return replace(new, secret="***" if new.secret else "")


def _origin(url: str) -> tuple[str, ...]:
    return tuple(url.split("/")[:3])


def remove_server(db: Db, name: str, *, by: access.Person) -> None:
    """Forget a DICOMweb server and its secret."""
    access.require(by, "peer.manage")
    if not store_.remove_server(db, name):
        raise ServerNotKnown("No DICOMweb server has this name; nothing was removed.")
    audit.record(db, "transfer.unserver", by=by, on=name[:128])


def forward(db: Db, study_uid: str) -> list[Transfer]:
    """Ask for what the rules say of a study that has settled; instances sent before are not sent again."""
    rules = [rule for rule in store_.find_rules(db) if rule.enabled]
    study = archive.get_studies(db, [study_uid]).get(study_uid) if rules else None
    if study is None:
        return []
    facts = _facts_of(db, study)
    started = []
    for rule in rules:
        if not rule.when.matches(**facts):
            continue
        for name in rule.to:
            since = store_.last_sent(db, name, study_uid, rule.name)
            options = {"since": since.isoformat()} if since else {}
            started.append(_ask(db, "send", name, study_uid, rule.name, options, access.SYSTEM))
    return started


def _facts_of(db: Db, study: archive.Study) -> dict[str, Any]:
    return {
        "modalities": study.modalities,
        "sources": sources_of(db, study.uid),
        "labels": labels_of(db, study.uid),
        "description": study.description,
    }
