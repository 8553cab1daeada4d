"""Asking another archive what it holds, whichever way it speaks."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sightline.record import archive
from sightline.runtime.db import Db
from sightline.trust import access
from sightline.wire import peers
from sightline.wire.transfers import _dicom, _web
from sightline.wire.transfers import _store as store_
from sightline.wire.transfers._model import Server
from sightline.wire.transfers._service import find_other, put_server


def find_sources(db: Db) -> list[Server | peers.Peer]:
    """Return the peers and DICOMweb servers that are sources of earlier studies, by name."""
    found: list[Server | peers.Peer] = [server for server in store_.find_servers(db) if server.priors]
    found += [p for p in peers.list_peers(db, by=access.SYSTEM) if p.priors and p.enabled and p.host]
    return sorted(found, key=name_of)


def set_source(db: Db, name: str, *, on: bool, by: access.Person) -> None:
    """Make a peer or DICOMweb server a source of earlier studies, or no more.

    Raises
    ------
    DestinationNotKnown
        If nothing of this name can be asked.
    """
    there = find_other(db, name)
    if isinstance(there, peers.Peer):
        peers.change_peer(db, replace(there, priors=on), by=by)
    else:
        put_server(db, replace(there, secret="", priors=on), keep_secret=True, by=by)


def name_of(there: Server | peers.Peer) -> str:
    """Return what another archive is called here."""
    return there.name if isinstance(there, Server) else there.title


def find_studies_at(
    there: Server | peers.Peer, keys: Mapping[str, str], fields: Sequence[str], *, most: int, timeout_s: float
) -> list[archive.Attributes]:
    """Ask another archive for studies, by C-FIND or QIDO-RS (PS3.4 C.6.2, PS3.18 10.6).

    Parameters
    ----------
    keys : mapping of tag to value
        What must match.
    fields : sequence of tags
        What the answers shall hold besides.
    most : int
        How many answers are read; the rest is not waited for.

    Raises
    ------
    Unavailable
        If it cannot be reached, refuses or breaks off.
    """
    if isinstance(there, peers.Peer):
        return _dicom.find_studies(there, keys, fields, most)
    with _web.open_client(there, timeout_s) as client:
        return _web.find_studies(client, keys, fields, most)
