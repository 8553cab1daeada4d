"""Requests to the routes of peers in this process, by whoever is set as `caller`."""

import asyncio
from typing import Any

import httpx
from fastapi import APIRouter, FastAPI

from sightline.runtime.db import Database
from sightline.runtime.http import install_problem_handlers
from sightline.trust import access
from sightline.trust.identity import caller_of


class Client:
    """Sends requests to an application that has these routers."""

    def __init__(self, database: Database, caller: access.Person, *routers: APIRouter) -> None:
        self.caller = caller
        self._app = FastAPI()
        for router in routers:
            self._app.include_router(router, prefix="/api")
        install_problem_handlers(self._app)
        self._app.state.database = database
        self._app.dependency_overrides[caller_of] = lambda: self.caller

    def request(self, method: str, path: str, json: Any = None) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app=self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://pacs.example") as client:
                return await client.request(method, path, json=json)

        return asyncio.run(send())

    def get(self, path: str) -> httpx.Response:
        return self.request("GET", path)

    def put(self, path: str, json: Any) -> httpx.Response:
        return self.request("PUT", path, json)

    def post(self, path: str, json: Any = None) -> httpx.Response:
        return self.request("POST", path, json)

    def delete(self, path: str) -> httpx.Response:
        return self.request("DELETE", path)
