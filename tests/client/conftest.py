"""A DICOMweb server of ours on a real connection, and a client of it."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from sightline.client import Archive
from sightline.record import archive
from sightline.trust import access, audit, identity
from sightline.wire.dicomweb import routes
from tests.wire.conftest import database

__all__ = ["database"]


@pytest.fixture
def address(store: archive.Store) -> Iterator[str]:
    app = Starlette(routes=[Mount("/dicom-web", routes=routes.build(store))])
    app.state.database = store.database
    audit.use(audit.ReadLog(store.database))
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    until = time.monotonic() + 10
    while not server.started and time.monotonic() < until:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}/dicom-web"
    server.should_exit = True
    thread.join(timeout=10)
    listening.close()
    audit.use(None)


@pytest.fixture
def token(store: archive.Store) -> str:
    by = access.operator("tester")
    with store.database.transaction() as db:
        identity.create_user(db, "tech", "Tech", frozenset({"technologist"}), by=by)
        return identity.create_token(db, "tech", by=by)


@pytest.fixture
def client(address: str, token: str) -> Iterator[Archive]:
    with Archive(address, token=token) as archive_:
        yield archive_
