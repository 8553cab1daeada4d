"""Archives that hold a patient's earlier studies: Orthanc by each way, and DCMTK's."""

import json
import os
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import select

from sightline.record import archive
from sightline.runtime.events import events
from sightline.runtime.settings import ServerSettings
from sightline.trust import access
from sightline.wire import dimse, peers, priors, transfers
from tests.dcmqrscp import TITLE as QRSCP
from tests.dcmqrscp import dcmqrscp
from tests.orthanc import PASSWORD, TITLE, USER, orthanc

__all__ = ["dcmqrscp", "orthanc"]

OPERATOR = access.operator("tester")


@pytest.fixture
def settings() -> priors.PriorSettings:
    return priors.PriorSettings(attempts=2, retry_s=0.01)


@pytest.fixture
def our_port(store: archive.Store) -> Iterator[int]:
    """Our own DICOM port, for archives that send by an association of their own."""
    listener = dimse.Listener(store, ServerSettings(dicom_port=0))
    listener.start()
    yield listener.port
    listener.stop()


@pytest.fixture(params=["orthanc-web", "orthanc-get", "orthanc-move", "dcmtk-get", "dcmtk-move"])
def elsewhere(request: Any, store: archive.Store) -> Callable[..., None]:
    """A real archive as a source of priors; gives the means to put objects into it."""
    which, _, way = request.param.partition("-")
    port = request.getfixturevalue("our_port") if way == "move" else 1
    with store.database.transaction() as db:
        if which == "dcmtk":
            there = request.getfixturevalue("dcmqrscp")(port)
            _add_peer(db, QRSCP, there.port, way)
        else:
            there = request.getfixturevalue("orthanc")
            if way == "web":
                server = transfers.Server("WEB", there.web, "basic", f"{USER}:{PASSWORD}", priors=True)
                transfers.put_server(db, server, by=OPERATOR)
            else:
                _tell_of_us(there, port)
                _add_peer(db, TITLE, there.dicom_port, way)
    return there.put


def _add_peer(db: Any, title: str, port: int, way: str) -> None:
    peer = peers.Peer(title, "127.0.0.1", port, retrieve_by=way, priors=True)
    peers.put_peer(db, peer, by=OPERATOR)


def _tell_of_us(there: Any, port: int) -> None:
    import base64

    body = json.dumps(["SIGHTLINE", "127.0.0.1", port]).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{there.http_port}/modalities/us", body, method="PUT")
    token = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    request.add_header("Authorization", f"Basic {token}")
    urllib.request.urlopen(request, timeout=20).close()


class Room:
    """What the server does by jobs, done here one after the other."""

    def __init__(self, store: archive.Store, settings: priors.PriorSettings) -> None:
        self.store, self.settings = store, settings

    def ask(self, study: str, trigger: priors.Trigger = "person", *, attempt: int = 0) -> priors.Elsewhere:
        """Ask every source for the priors of a study."""
        database = self.store.database
        with database.transaction() as db:
            known = priors.request_search(db, study, trigger, self.settings, by=OPERATOR)
        for search in known.searches:
            priors.ask_source(database, study, search.source, attempt, self.settings, timeout_s=20)
        return self.known(study)

    def fetch(self) -> None:
        """Run the transfers that wait, and hear what has settled."""
        database = self.store.database
        with database.reading() as db:
            waiting = transfers.list_transfers(db, state="waiting", by=OPERATOR)
        for transfer in waiting:
            transfers.run_transfer(self.store, transfer.id, transfers.TransferSettings(attempts=1))
        with database.reading() as db:
            settled = db.execute(select(events.c.subject).where(events.c.name == "StudySettled")).scalars()
            arrived = settled.all()
        with database.transaction() as db:
            for uid in arrived:
                priors.came(db, uid)

    def known(self, study: str) -> priors.Elsewhere:
        """Return how it stands."""
        with self.store.database.reading() as db:
            return priors.elsewhere_of(db, study, by=OPERATOR)

    def held(self) -> set[str]:
        """Return the studies that are held."""
        with self.store.database.reading() as db:
            return {s.uid for s in archive.find_studies(db, archive.StudyQuery(), limit=100)}


@pytest.fixture
def room(store: archive.Store, settings: priors.PriorSettings) -> Room:
    os.environ.pop("SIGHTLINE_AE_TITLE", None)
    return Room(store, settings)


@pytest.fixture
def make_study(make_slice: Callable[..., bytes]) -> Callable[..., list[bytes]]:
    """Make a study of two images of the patient who is read now."""

    def make(uid: str, date: str, description: str, **overrides: Any) -> list[bytes]:
        return [
            make_slice(
                n, study=uid, series=f"{uid}.1", StudyDate=date, StudyDescription=description, **overrides
            )
            for n in (1, 2)
        ]

    return make
