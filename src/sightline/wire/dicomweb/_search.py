"""QIDO-RS: queries in, matching attributes out (PS3.18 10.6, 8.3.4)."""

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from pydicom.datadict import dictionary_VR, tag_for_keyword
from starlette.responses import Response

from sightline.record import archive
from sightline.wire.dicomweb import _accept as accept
from sightline.wire.dicomweb._frames import multipart
from sightline.wire.dicomweb._multipart import Part
from sightline.wire.dicomweb._native import render_native
from sightline.wire.dicomweb._retrieving import require_series, takes_gzip
from sightline.wire.dicomweb._serving import Asked, BadRequest

LIMIT = 100
# Inside one study nobody wants a page: a viewer asks for all its instances and takes what comes for all.
MOST_IN_STUDY = 100_000
MOST_OFFSET = 1_000_000
STUDY_UID, SERIES_UID, SOP_UID, RETRIEVE_URL = "0020000D", "0020000E", "00080018", "00081190"
_FLAGS = ("fuzzymatching", "emptyvaluematching", "multiplevaluematching")
_OTHER = frozenset({"limit", "offset", "includefield", "accept", "charset", *_FLAGS})
_EMPTY = '""'
Level = Literal["study", "series", "instance"]


class BadQuery(BadRequest):
    """A parameter of the search cannot be understood; correct it."""


class TooManyResults(BadQuery):
    """The page asked for lies too far behind the first; narrow the search."""

    status = 413


@dataclass(frozen=True, slots=True)
class Search:
    """A search: what to match by tag, what to return besides, and which page."""

    keys: dict[str, list[str]] = field(default_factory=dict)
    include: frozenset[str] = frozenset()
    limit: int | None = None
    offset: int = 0
    flags: frozenset[str] = frozenset()


def parse_search(items: Iterable[tuple[str, str]]) -> Search:
    """Read a query; a parameter that is no attribute is refused.

    >>> parse_search([("PatientID", "4711"), ("limit", "5")]).keys
    {'00100020': ['4711']}
    """
    keys: dict[str, list[str]] = {}
    options: dict[str, str] = {}
    include: set[str] = set()
    for name, value in items:
        if name == "includefield":
            include.update("all" if part == "all" else path_of(part) for part in value.split(",") if part)
        elif name in _OTHER:
            options[name] = value
        else:
            keys.setdefault(path_of(name), []).append(value)
    limit = _count(options, "limit", 1) if "limit" in options else None
    offset = _count(options, "offset", 0) if "offset" in options else 0
    if offset > MOST_OFFSET:
        raise TooManyResults(f"No more than {MOST_OFFSET} results are paged through; narrow the search.")
    return Search(keys, frozenset(include), limit, offset, _flags(options))


def _count(options: Mapping[str, str], name: str, least: int) -> int:
    text = options[name]
    if not (text.isascii() and text.isdigit() and len(text) < 12 and int(text) >= least):
        raise BadQuery("limit is a whole number from 1 on, offset one from 0 on.")
    return int(text)


def _flags(options: Mapping[str, str]) -> frozenset[str]:
    for name in _FLAGS:
        if options.get(name, "false").lower() not in {"true", "false"}:
            raise BadQuery(f"{name} is true or false.")
    return frozenset(name for name in _FLAGS if options.get(name, "").lower() == "true")


@lru_cache(maxsize=4096)
def path_of(name: str) -> str:
    """Return the tags of an attribute given by tag or keyword, in a sequence joined by dots.

    >>> path_of("PatientID"), path_of("RequestAttributesSequence.00400009")
    ('00100020', '00400275.00400009')
    """
    parts = name.split(".")
    if len(parts) > 8:
        raise BadQuery("Attributes are asked for no deeper than in eight sequences.")
    return ".".join(_tag_of(part) for part in parts)


def _tag_of(name: str) -> str:
    if len(name) == 8 and all(c in "0123456789abcdefABCDEF" for c in name):
        return name.upper()
    tag = tag_for_keyword(name)
    if tag is None:
        raise BadQuery(f"{name[:64]!r} is no attribute; name one by its keyword or its eight-digit tag.")
    return f"{tag:08X}"


def find_studies(asked: Asked) -> Response:
    """Search for studies."""
    return _find(asked, "study")


def find_series(asked: Asked) -> Response:
    """Search for series, of one study or of all."""
    return _find(asked, "series")


def find_instances(asked: Asked) -> Response:
    """Search for instances, of one series, of one study or of all."""
    return _find(asked, "instance")


def _find(asked: Asked, level: Level) -> Response:
    form = accept.choose_attributes(asked.accept)
    search = parse_search(asked.request.query_params.multi_items())
    most = MOST_IN_STUDY if asked.study else asked.context.settings.max_results
    limit = min(search.limit or (most if asked.study else LIMIT), most)
    with asked.store.database.reading() as db:
        if asked.series:
            require_series(db, asked)
        elif asked.study:
            archive.get_study(db, asked.study)
        # Keys of every level are matched at every level (PS3.4 C.4.1.2.2.2, relational queries).
        supported = archive.searchable("instance", db)
        query = _query(asked, search, supported, level)
        page = archive.search(db, query, include=search.include, limit=limit, offset=search.offset)
    found = [_with_address(attributes, asked.root, level) for attributes in page]
    return _results(asked, found, form, list(_warnings(search, supported, more=page.next is not None)))


def _query(asked: Asked, search: Search, supported: Iterable[str], level: Level) -> archive.Query:
    keys = dict(_matches(search, supported))
    if asked.study:
        keys[STUDY_UID] = archive.Single(asked.study)
    if asked.series:
        keys[SERIES_UID] = archive.Single(asked.series)
    fuzzy = "fuzzymatching" in search.flags
    return archive.Query(level=level, keys=keys, fuzzy=fuzzy, combined_datetime=True)


def _matches(search: Search, supported: Iterable[str]) -> Iterator[tuple[str, archive.Match]]:
    """Yield what each attribute is to match; an empty value asks nothing (PS3.18 8.3.4.5)."""
    empty, multiple = (f"{kind}valuematching" in search.flags for kind in ("empty", "multiple"))
    for path, values in search.keys.items():
        if path not in supported:
            continue
        tag = path.rpartition(".")[2]
        vr = _vr_of(tag)
        if values in ([""], [_EMPTY]) and empty:
            yield path, archive.Empty()
        elif _EMPTY in values or (not multiple and vr != "UI" and any("\\" in value for value in values)):
            yield path, archive.Single(values[0])
        elif any(values):
            yield path, archive.parse_match(tag, vr, values if len(values) > 1 else values[0])


@lru_cache(maxsize=4096)
def _vr_of(tag: str) -> str:
    try:
        return dictionary_VR(int(tag, 16)).split(" or ")[0]
    except KeyError:
        return "LO"


def _with_address(attributes: archive.Attributes, root: str, level: Level) -> archive.Attributes:
    """Return attributes with the address that the thing is retrieved at."""
    address = f"{root}/studies/{_uid(attributes, STUDY_UID)}"
    if level != "study":
        address += f"/series/{_uid(attributes, SERIES_UID)}"
    if level == "instance":
        address += f"/instances/{_uid(attributes, SOP_UID)}"
    attributes[RETRIEVE_URL] = {"vr": "UR", "Value": [address]}
    return dict(sorted(attributes.items()))


def _uid(attributes: archive.Attributes, tag: str) -> str:
    return str(attributes[tag]["Value"][0])


def _warnings(search: Search, supported: Iterable[str], *, more: bool) -> Iterator[str]:
    if more:
        yield "There are additional results that can be requested; ask again with offset."
    if ignored := sorted(set(search.keys) - set(supported)):
        yield f"These attributes were not matched: {' '.join(ignored)}"


def _results(
    asked: Asked, found: list[archive.Attributes], form: accept.Form, warnings: list[str]
) -> Response:
    """Return search results with the warnings that are due (PS3.18 8.3.4.4, 10.6.3)."""
    headers = {"Vary": "Accept, Accept-Encoding"}
    if warnings:
        headers["Warning"] = ", ".join(f'299 {asked.root} "{warning}"' for warning in warnings)
    if not found:
        return Response(status_code=204, headers=headers)
    if form.kind == accept.XML:
        return multipart(
            asked, (Part(accept.XML, (render_native(one),)) for one in found), accept.XML, headers
        )
    body = json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    if len(body) > 1024 and takes_gzip(asked):
        body, headers["Content-Encoding"] = gzip.compress(body, 1), "gzip"
    return Response(body, headers=headers, media_type=form.kind)
