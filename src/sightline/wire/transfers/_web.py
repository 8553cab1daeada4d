"""Another DICOMweb server as we call it: store, search, retrieve (PS3.18 10.4 to 10.6).

The server is not trusted: answers are bounded, nothing is followed to another address, and the secret goes to
the address that an administrator entered and to no other.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from sightline.wire.transfers._model import OtherSideFailed, Server

JSON_LIMIT = 256 << 20
HEAD_LIMIT = 64 << 10
TAIL = 4096
PAGE = 500
DICOM = 'multipart/related; type="application/dicom"; transfer-syntax=*'
_REFERENCED, _FAILED, _SOP_UID, _REASON = "00081199", "00081198", "00081155", "00081197"


@dataclass(frozen=True, slots=True)
class Listed:
    """An instance as the other side lists it."""

    series_uid: str
    sop_uid: str


@contextmanager
def open_client(server: Server, timeout_s: float) -> Iterator[httpx.Client]:
    """Open a client of a server: with its secret, without redirects."""
    headers = {"User-Agent": "Sightline"}
    auth = None
    if server.auth_kind == "bearer" and server.secret:
        headers["Authorization"] = f"Bearer {server.secret}"
    elif server.auth_kind == "basic" and server.secret:
        name, _, password = server.secret.partition(":")
        auth = httpx.BasicAuth(name, password)
    with httpx.Client(
        base_url=server.url, headers=headers, auth=auth, timeout=timeout_s, follow_redirects=False
    ) as client:
        yield client


def store_instances(client: httpx.Client, instances: Sequence[tuple[str, Iterable[bytes]]]) -> dict[str, str]:
    """Send instances (UID and chunks of the file) in one request; return the reason by UID, "" is good.

    Raises
    ------
    OtherSideFailed
        If the server does not answer, or answers that nothing can be stored at present.
    """
    boundary = uuid4().hex
    kind = f'multipart/related; type="application/dicom"; boundary={boundary}'
    headers = {"Content-Type": kind, "Accept": "application/dicom+json"}
    with _answering():
        answer = client.post("/studies", content=_body(instances, boundary), headers=headers)
    if answer.status_code not in {200, 202, 409}:
        raise _refusal(answer.status_code)
    return _results(answer, [uid for uid, _ in instances])


def _body(instances: Sequence[tuple[str, Iterable[bytes]]], boundary: str) -> Iterator[bytes]:
    for _, chunks in instances:
        yield f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode()
        yield from chunks
        yield b"\r\n"
    yield f"--{boundary}--\r\n".encode()


def _results(answer: httpx.Response, uids: Sequence[str]) -> dict[str, str]:
    """Read what a store answered (PS3.18 I.2): who is not named has the fate of the whole."""
    silent = "" if answer.status_code in {200, 202} else "The server stored nothing."
    results = dict.fromkeys(uids, silent)
    try:
        body = answer.json()
    except ValueError:
        return results
    if not isinstance(body, dict):
        return results
    for item in _sequence(body, _REFERENCED):
        uid = _value(item, _SOP_UID)
        if uid in results:
            results[uid] = ""
    for item in _sequence(body, _FAILED):
        uid, reason = _value(item, _SOP_UID), _value(item, _REASON)
        if uid in results:
            code = f"{int(reason):04X}" if reason.isdigit() else "unknown"
            results[uid] = f"The server refused it (reason {code})."
    return results


def _sequence(body: dict[str, Any], tag: str) -> list[dict[str, Any]]:
    found = body.get(tag)
    values = found.get("Value") if isinstance(found, dict) else None
    return [v for v in values if isinstance(v, dict)] if isinstance(values, list) else []


def _value(item: dict[str, Any], tag: str) -> str:
    found = item.get(tag)
    values = found.get("Value") if isinstance(found, dict) else None
    return str(values[0]) if isinstance(values, list) and values else ""


def list_studies(client: httpx.Client, offset: int) -> list[tuple[str, int]]:
    """Return one page of all studies: UID and how many instances each has."""
    asked = {"limit": str(PAGE), "offset": str(offset), "includefield": "00201208"}
    found = _search(client, "/studies", asked)
    return [(_value(s, "0020000D"), _number(_value(s, "00201208"))) for s in found if _value(s, "0020000D")]


def find_studies(
    client: httpx.Client, keys: Mapping[str, str], fields: Sequence[str], most: int
) -> list[Any]:
    """Return at most so many studies that match, in DICOM JSON; `fields` are tags asked for besides."""
    # One parameter for each: lists with commas are allowed too, but Orthanc's is no reader of them.
    asked = {**keys, "limit": str(most), "includefield": list(fields)}
    return _search(client, "/studies", asked)[:most]


def list_instances(client: httpx.Client, study_uid: str) -> list[Listed]:
    """Return every instance of a study."""
    listed: dict[str, Listed] = {}
    offset = 0
    while True:
        asked = {"limit": str(PAGE), "offset": str(offset), "includefield": "0020000E"}
        page = _search(client, f"/studies/{study_uid}/instances", asked)
        new = {_value(i, "00080018"): Listed(_value(i, "0020000E"), _value(i, "00080018")) for i in page}
        new.pop("", None)
        if not new.keys() - listed.keys():  # the end, or a server that knows no pages
            return list(listed.values())
        listed |= new
        offset += len(page)


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0


def _search(client: httpx.Client, path: str, asked: dict[str, Any]) -> list[dict[str, Any]]:
    headers = {"Accept": "application/dicom+json"}
    with _answering(), client.stream("GET", path, params=asked, headers=headers) as answer:
        if answer.status_code in {204, 404}:
            return []
        if answer.status_code != 200:
            raise _refusal(answer.status_code)
        body = b"".join(_bounded(answer.iter_bytes(), JSON_LIMIT))
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise OtherSideFailed("The server's list cannot be read; is its address one of DICOMweb?") from None
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def fetch_instance(client: httpx.Client, study_uid: str, listed: Listed, place: Path, limit: int) -> None:
    """Retrieve one instance, in the transfer syntax it is held in, into the file `place`."""
    path = f"/studies/{study_uid}/series/{listed.series_uid}/instances/{listed.sop_uid}"
    with _answering(), client.stream("GET", path, headers={"Accept": DICOM}) as answer:
        if answer.status_code != 200:
            raise _refusal(answer.status_code)
        kind = answer.headers.get("content-type", "")
        chunks = _bounded(answer.iter_bytes(1 << 20), limit)
        with place.open("xb") as file:
            if kind.lower().startswith("multipart/"):
                _write_part(file, chunks, _boundary(kind))
            else:
                file.writelines(chunks)


def _boundary(kind: str) -> bytes:
    for parameter in kind.split(";")[1:]:
        name, _, value = parameter.strip().partition("=")
        if name.strip().lower() == "boundary" and value.strip('" '):
            return value.strip('" ').encode("latin-1", "replace")
    raise OtherSideFailed("The server's answer is in parts without a mark between them.")


def _write_part(file: Any, chunks: Iterator[bytes], boundary: bytes) -> None:
    """Write the body of the only part: after its headers, up to the last mark (RFC 2046 5.1)."""
    head = b""
    for chunk in chunks:
        head += chunk
        opened = head.find(b"--" + boundary)
        begin = head.find(b"\r\n\r\n", opened) if opened >= 0 else -1
        if begin >= 0:
            file.write(head[begin + 4 :])
            break
        if len(head) > HEAD_LIMIT:
            break
    else:
        begin = -1
    if begin < 0:
        raise OtherSideFailed("The server's answer holds no part.")
    file.writelines(chunks)
    size = file.seek(0, 2)
    file.flush()
    tail_at = max(0, size - TAIL)
    with Path(file.name).open("rb") as read:
        read.seek(tail_at)
        end = read.read().rfind(b"\r\n--" + boundary)
    if end < 0:
        raise OtherSideFailed("The server's answer broke off before its end.")
    file.truncate(tail_at + end)


def _bounded(chunks: Iterable[bytes], limit: int) -> Iterator[bytes]:
    got = 0
    for chunk in chunks:
        got += len(chunk)
        if got > limit:
            raise OtherSideFailed("The server sends more than is accepted; it was cut off.")
        yield chunk


@contextmanager
def _answering() -> Iterator[None]:
    """Turn what the network says into our words; addresses stay out, they may hold UIDs."""
    try:
        yield
    except httpx.TimeoutException as error:
        raise OtherSideFailed("The server does not answer in time; it is tried again.") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        what = type(error).__name__
        raise OtherSideFailed(f"The server cannot be reached ({what}); does it run, is it right?") from error


def _refusal(status: int) -> OtherSideFailed:
    words = {
        401: "The server does not accept the secret; enter it anew.",
        403: "The server does not permit it to us; ask its administrator.",
        404: "The server does not know this address or object.",
        413: "The server finds it too large.",
        415: "The server does not take this kind of object.",
        507: "The server's disk is full.",
    }
    if 300 <= status < 400:
        return OtherSideFailed("The server sends us elsewhere, and we never follow; enter its final address.")
    return OtherSideFailed(words.get(status, f"The server answers with status {status}."))
