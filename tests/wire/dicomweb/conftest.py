"""A client of DICOMweb in this process, over the archive of the folder above."""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from sightline.record import archive
from sightline.trust import access, audit, identity
from sightline.wire.dicomweb import routes


class Client:
    """Sends requests to an application in this process."""

    def __init__(self, app: Any, headers: dict[str, str]) -> None:
        self._transport = httpx.ASGITransport(app=app)
        self.app = app
        self.headers = headers

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self._request("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self._request("POST", path, **options)

    def _request(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            base = "http://pacs.example/dicom-web"
            async with httpx.AsyncClient(
                transport=self._transport, base_url=base, headers=self.headers
            ) as client:
                return await client.request(method, path, **options)

        return asyncio.run(send())


@pytest.fixture
def client(store: archive.Store) -> Iterator[Client]:
    """An HTTP client of a technologist, who may store and read."""
    with store.database.transaction() as db:
        by = access.operator("tester")
        identity.create_user(db, "tech", "Tech", frozenset({"technologist"}), by=by)
        token = identity.create_token(db, "tech", by=by)
    app = Starlette(routes=[Mount("/dicom-web", routes=routes.build(store))])
    app.state.database = store.database
    reads = audit.ReadLog(store.database)
    audit.use(reads)
    headers = {"Authorization": f"Bearer {token}"}
    yield Client(app, headers)
    audit.use(None)
