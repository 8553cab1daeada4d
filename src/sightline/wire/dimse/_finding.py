"""Query: C-FIND of the patient root and study root models, at every level (PS3.4 C.4.1).

What is asked becomes a query of the archive, whatever upper keys it names: a query without the unique keys
above its level is answered as a relational one is. Matches are read a page at a time and sent as they are
read; each holds what was asked for and nothing else.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from pydicom import Dataset
from pynetdicom import evt

from sightline.kernel.errors import Forbidden, Invalid, Unavailable
from sightline.record import archive
from sightline.trust import access, audit
from sightline.wire.dimse._datasets import (
    CHARACTER_SET,
    NotReadable,
    charset_of,
    name_text,
    person_behind,
    read_message,
    status,
)
from sightline.wire.dimse._encoding import encode_attributes
from sightline.wire.dimse._model import Context, Service

log = structlog.get_logger(__name__)

PATIENT_ROOT = "1.2.840.10008.5.1.4.1.2.1.1"
STUDY_ROOT = "1.2.840.10008.5.1.4.1.2.2.1"
PATIENT_STUDY = "1.2.840.10008.5.1.4.1.2.3.1"

PENDING, PENDING_INCOMPLETE, CANCELLED = 0xFF00, 0xFF01, 0xFE00
OUT_OF_RESOURCES, NOT_AUTHORISED, DOES_NOT_MATCH, CANNOT_PROCESS = 0xA700, 0x0124, 0xA900, 0xC000

MOST_BYTES = 1 << 20
# The first page is small, so that its answers do not wait for others; each next one is twice as long.
FIRST_PAGE, PAGE = 25, 250
LEVEL, RETRIEVE_TITLE, AVAILABILITY = "00080052", "00080054", "00080056"
# Said of the query and the answer themselves, matched against nothing (PS3.4 C.4.1.1.3).
_ABOUT = frozenset({CHARACTER_SET, LEVEL, RETRIEVE_TITLE, AVAILABILITY, "00080201", "00880130", "00880140"})
_TEXTUAL = frozenset(
    {
        "AE",
        "AS",
        "CS",
        "DA",
        "DS",
        "DT",
        "IS",
        "LO",
        "LT",
        "PN",
        "SH",
        "ST",
        "TM",
        "UC",
        "UI",
        "UL",
        "US",
        "UT",
    }
)
_LEVELS: Mapping[str, Mapping[str, str]] = {
    PATIENT_ROOT: {"PATIENT": "patient", "STUDY": "study", "SERIES": "series", "IMAGE": "instance"},
    STUDY_ROOT: {"STUDY": "study", "SERIES": "series", "IMAGE": "instance"},
    PATIENT_STUDY: {"PATIENT": "patient", "STUDY": "study"},
}

Answer = tuple[int | Dataset, bytes | None]

audit.declare("archive.search", "A person or program searched the archive")


class DoesNotMatch(Invalid):
    """The identifier does not fit the SOP class; correct the level or the key that is named."""


def agree(sop_class: str, asked: bytes) -> bytes:
    """Return what of an extended negotiation of C-FIND holds (PS3.4 C.5.1.1); nothing for other classes.

    The bytes say: relational queries, combined date and time, fuzzy names, time zones.
    """
    if sop_class not in _LEVELS:
        return b""
    return bytes(int(wanted == 1) for wanted in asked[:3].ljust(3, b"\0")) + b"\0"


@dataclass(frozen=True, slots=True)
class _Question:
    """A C-FIND identifier, read."""

    query: archive.Query
    wanted: archive.Attributes
    level: str
    complete: bool
    charset: str


def find(context: Context, event: Any) -> Iterator[Answer]:
    """Yield each match with its status, and at the end the reason if there is one (PS3.4 table C.4-1)."""
    try:
        person = person_behind(event)
        access.require(person, "archive.read")
        question = _read(context, event)
        audit.record_read(person, "archive.search", "archive")
        yield from _answers(context, event, question)
    except (NotReadable, Invalid) as error:
        yield status(DOES_NOT_MATCH, str(error)), None
    except Forbidden as error:
        yield status(NOT_AUTHORISED, str(error)), None
    except Unavailable as error:
        yield status(OUT_OF_RESOURCES, str(error)), None
    except Exception as error:
        log.error("query not answered", error=type(error).__name__, exc_info=error)
        yield status(CANNOT_PROCESS, "Something broke on our side; it has been logged."), None


def _read(context: Context, event: Any) -> _Question:
    """Read the identifier of a request.

    Raises
    ------
    DoesNotMatch
        If it has no level, or one that the model does not know.
    archive.BadKey
        If a value cannot be one of its attribute.
    """
    sop_class, syntax = str(event.request.AffectedSOPClassUID), event.context.transfer_syntax
    keys = read_message(event.request.Identifier, syntax, most=MOST_BYTES)
    word = "".join(_values(keys.get(LEVEL, {}))[:1]).strip().upper()
    level = _LEVELS[sop_class].get(word)
    if level is None:
        raise DoesNotMatch("The query/retrieve level is not one of this information model.")
    agreed = event.assoc.extended.get(sop_class, bytes(4))
    with context.store.database.reading() as db:
        known = archive.searchable("instance" if agreed[0] else level, db)  # type: ignore[arg-type]
    matches, complete = _matches(keys, known)
    query = archive.Query(
        level,  # type: ignore[arg-type]
        matches,
        fuzzy=bool(agreed[2]),
        combined_datetime=bool(agreed[1]),
    )
    charset = charset_of(event.request.Identifier, syntax)
    return _Question(query, keys, word, complete, charset)


def _matches(
    keys: archive.Attributes, known: Mapping[str, str], outside: str = ""
) -> tuple[dict[str, archive.Match], bool]:
    """Return what is asked of each attribute, and whether all of it can be matched."""
    found: dict[str, archive.Match] = {}
    complete = True
    for tag, node in keys.items():
        if not outside and (tag in _ABOUT or tag[4:] == "0000"):
            continue
        path = f"{outside}{tag}"
        if node["vr"] == "SQ":
            inner, whole = _matches((node.get("Value") or [{}])[0], known, f"{path}.")
            found |= inner
            complete = complete and whole
            continue
        values = _values(node)
        if not any(values):
            continue
        match = archive.parse_match(path, node["vr"], values) if node["vr"] in _TEXTUAL else None
        if isinstance(match, archive.Universal):
            continue
        if match is None or path not in known:
            complete = False
            continue
        found[path] = match
    return found, complete


def _values(node: Mapping[str, Any]) -> list[str]:
    """Return the values of an attribute as text; a name with its groups."""
    return [_text(value) for value in node.get("Value") or () if value is not None]


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return name_text(value)
    return str(value)


def _answers(context: Context, event: Any, question: _Question) -> Iterator[Answer]:
    pending = PENDING if question.complete else PENDING_INCOMPLETE
    include = frozenset(question.wanted) - _ABOUT
    syntax = str(event.context.transfer_syntax)
    after: tuple[str, ...] | None = None
    limit = FIRST_PAGE
    while True:
        with context.store.database.reading() as db:
            page = archive.search(db, question.query, include=include, limit=limit, after=after)
        for match in page.items:
            if event.is_cancelled:
                yield CANCELLED, None
                return
            answer = _answer(context, question, match)
            yield pending, encode_attributes(answer, syntax, asked_in=question.charset)
        if page.next is None:
            return
        after, limit = page.next, min(2 * limit, PAGE)
        event.hurry()


def _answer(context: Context, question: _Question, match: archive.Attributes) -> archive.Attributes:
    answer = {
        tag: _chosen(node, match.get(tag)) for tag, node in question.wanted.items() if tag not in _ABOUT
    }
    answer[LEVEL] = {"vr": "CS", "Value": [question.level]}
    answer[RETRIEVE_TITLE] = {"vr": "AE", "Value": [context.settings.ae_title]}
    if AVAILABILITY in question.wanted:
        known = "".join(_values(match.get(AVAILABILITY, {}))[:1])
        answer[AVAILABILITY] = {"vr": "CS", "Value": [known or "ONLINE"]}
    return answer


def _chosen(asked: Mapping[str, Any], held: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return an attribute as it is answered: empty when it has no value, of a sequence what was asked for."""
    if held is None or not held.get("Value"):
        return {"vr": (held or asked)["vr"]}
    if held["vr"] != "SQ":
        return dict(held)
    inner = (asked.get("Value") or [{}])[0]
    if not inner:
        return dict(held)
    items = [{tag: _chosen(node, item.get(tag)) for tag, node in inner.items()} for item in held["Value"]]
    return {"vr": "SQ", "Value": items}


def _service(name: str, sop_class: str) -> Service:
    return Service(f"{name} (FIND)", (sop_class,), "scp", "find", {evt.EVT_C_FIND: find})


SERVICES = (
    _service("Patient Root Query", PATIENT_ROOT),
    _service("Study Root Query", STUDY_ROOT),
    _service("Patient/Study Only Query, retired", PATIENT_STUDY),
)
