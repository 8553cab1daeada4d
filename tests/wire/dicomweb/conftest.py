"""A client of DICOMweb in this process, over the archive of the folder above."""

import asyncio
import io
from collections.abc import Callable, Iterator
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

import httpx
import numpy as np
import pydicom
import pytest
from pydicom.uid import RLELossless
from starlette.applications import Starlette
from starlette.routing import Mount

from sightline.record import archive
from sightline.trust import access, audit, identity
from sightline.wire.dicomweb import routes
from sightline.wire.dicomweb.settings import DicomWebSettings

HOST = "http://pacs.example"


class Client:
    """Sends requests to an application in this process."""

    def __init__(self, app: Any, headers: dict[str, str], base: str = f"{HOST}/dicom-web") -> None:
        self._transport = httpx.ASGITransport(app=app)
        self._base = base
        self.app = app
        self.headers = headers

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.request("POST", path, **options)

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            async with httpx.AsyncClient(
                transport=self._transport, base_url=self._base, headers=self.headers
            ) as client:
                if options.get("headers", {}).get("Accept") == "":  # as old clients: no such header at all
                    options["headers"] = {k: v for k, v in options["headers"].items() if k != "Accept"}
                    del client.headers["accept"]
                return await client.request(method, path, **options)

        return asyncio.run(send())


def parts_of(response: httpx.Response) -> list[tuple[str, bytes]]:
    """Content-Type and bytes of each part of a multipart body, as Python's own reader sees them."""
    head = f"Content-Type: {response.headers['content-type']}\r\n\r\n".encode()
    message = BytesParser(policy=HTTP).parsebytes(head + response.content)
    return [
        (str(part["Content-Type"]).replace('"', ""), part.get_payload(decode=True))
        for part in message.iter_parts()
    ]


def app_of(store: archive.Store, settings: DicomWebSettings | None = None) -> Starlette:
    mount = Mount("/dicom-web", routes=routes.build(store, settings))
    app = Starlette(routes=[mount, *routes.build_uri(store, settings)])
    app.state.database = store.database
    return app


def token_of(store: archive.Store, name: str, *roles: str) -> str:
    with store.database.transaction() as db:
        by = access.operator("tester")
        identity.create_user(db, name, name.title(), frozenset(roles), by=by)
        return identity.create_token(db, name, by=by)


@pytest.fixture
def reads(store: archive.Store) -> Iterator[audit.ReadLog]:
    log = audit.ReadLog(store.database)
    audit.use(log)
    yield log
    audit.use(None)


@pytest.fixture
def client(store: archive.Store, reads: audit.ReadLog) -> Client:
    """An HTTP client of a technologist, who may store and read."""
    token = token_of(store, "tech", "technologist")
    return Client(app_of(store), {"Authorization": f"Bearer {token}"})


@pytest.fixture
def held(take: Any, make_slice: Any) -> Any:
    """Three slices of one series."""
    return take(*(make_slice(n) for n in (1, 2, 3)))


@pytest.fixture
def put(take: Any, make_slice: Any) -> Callable[..., pydicom.Dataset]:
    """Take in a slice with other attributes and pixels, compressed when a `syntax` is given."""

    def put(pixels: Any = None, *, syntax: str = "", **overrides: Any) -> pydicom.Dataset:
        ds = pydicom.dcmread(io.BytesIO(make_slice(1)))
        if pixels is not None:
            array = np.asarray(pixels)
            ds.PixelData = array.tobytes() + b"\0" * (array.nbytes % 2)
            ds.Rows, ds.Columns = (
                array.shape[:2] if array.ndim == 2 or array.shape[-1] == 3 else array.shape[1:3]
            )
            ds.BitsAllocated = ds.BitsStored = array.itemsize * 8
            ds.HighBit = ds.BitsStored - 1
            ds.PixelRepresentation = int(array.dtype.kind == "i")
        for name, value in overrides.items():
            if value is None:
                ds.pop(name, None)
            elif isinstance(value, tuple):  # the representation of one that the dictionary leaves open
                ds.add_new(name, *value)
            else:
                setattr(ds, name, value)
        if syntax:
            ds.compress(syntax, generate_instance_uid=False)
        buffer = io.BytesIO()
        ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
        ds.save_as(buffer, enforce_file_format=True)
        (outcome,) = take(buffer.getvalue())
        assert outcome.status == "stored", outcome.reason
        return ds

    return put


@pytest.fixture
def compressed(put: Callable[..., pydicom.Dataset], make_slice: Any) -> bytes:
    """The first slice, held in RLE; its pixels as they were."""
    put(syntax=RLELossless)
    return pydicom.dcmread(io.BytesIO(make_slice(1))).PixelData
