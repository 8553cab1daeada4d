"""A fresh database with the tables of trust alone, on SQLite and on PostgreSQL."""

import asyncio
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import create_engine, text

import sightline.trust.audit
import sightline.trust.identity  # noqa: F401  its tables
from sightline.runtime.db import Database, metadata, open_database

TABLES = (
    "audit",
    "audit_head",
    "audit_checkpoints",
    "people",
    "sessions",
    "tokens",
    "setup_links",
)


@pytest.fixture(scope="session")
def shared_postgresql(postgresql_server: str) -> Iterator[Database]:
    """One PostgreSQL database for all tests here, emptied before each; making one each time takes longer."""
    name = f"trust{uuid.uuid4().hex[:12]}"
    admin = create_engine(postgresql_server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"create database {name}"))
    opened = open_database(postgresql_server.rsplit("/", 1)[0] + f"/{name}")
    metadata.create_all(opened.engine, tables=[metadata.tables[table] for table in TABLES])
    yield opened
    opened.dispose()
    with admin.connect() as connection:
        connection.execute(text(f"drop database {name} with (force)"))
    admin.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Database:
    if request.param == "sqlite":
        return request.getfixturevalue("sqlite")
    opened = request.getfixturevalue("shared_postgresql")
    with opened.transaction() as db:
        for table in reversed(TABLES):
            db.execute(text(f"delete from {table}"))
    return opened


@pytest.fixture
def sqlite(sqlite_url: str) -> Iterator[Database]:
    """For what does not depend on the kind of database."""
    opened = open_database(sqlite_url)
    metadata.create_all(opened.engine, tables=[metadata.tables[name] for name in TABLES])
    yield opened
    opened.dispose()


class Browser:
    """Sends requests to an application in this process and keeps its cookies."""

    def __init__(self, app: Any, base_url: str = "http://testserver") -> None:
        self._transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        self._base_url = base_url
        self.cookies = httpx.Cookies()

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            opened = httpx.AsyncClient(
                transport=self._transport, base_url=self._base_url, cookies=self.cookies
            )
            async with opened as client:
                answer = await client.request(method, path, **options)
                self.cookies = client.cookies
                return answer

        return asyncio.run(send())

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.request("POST", path, **options)

    def put(self, path: str, **options: Any) -> httpx.Response:
        return self.request("PUT", path, **options)

    def delete(self, path: str, **options: Any) -> httpx.Response:
        return self.request("DELETE", path, **options)


@pytest.fixture
def browser() -> type[Browser]:
    return Browser
