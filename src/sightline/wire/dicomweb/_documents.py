"""Documents for reading: an encapsulated PDF or CDA as itself, a report as a page (PS3.3 C.17.3)."""

import base64
from collections.abc import Iterator
from html import escape
from typing import Any

from starlette.responses import Response

from sightline.record import archive
from sightline.wire.dicomweb import _accept as accept
from sightline.wire.dicomweb._frames import NothingHere
from sightline.wire.dicomweb._serving import REVALIDATE, Asked, Streamed

HTML, TEXT = "text/html", "text/plain"
REPORTS = "1.2.840.10008.5.1.4.1.1.88."
ENCAPSULATED = "1.2.840.10008.5.1.4.1.1.104."
# What may be handed to a browser as what it says it is.
MIME_TYPES = frozenset({"application/pdf", "text/xml", "model/stl", "model/obj", "model/mtl"})
DOCUMENT, LENGTH, MIME = "00420011", "00420015", "00420012"
_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:50em;margin:2em auto;padding:0 1em}"
    "dt{font-weight:600}dd{margin:0 0 .3em 1.2em}h1{font-size:1.3em}section section{margin-left:1.2em}"
)


def get_document(asked: Asked, held: archive.HeldFrames, wanted: str = "") -> Response:
    """Return a document without pixels in a form for reading; `wanted` in place of what the client takes."""
    header = wanted or asked.accept
    if held.sop_class.startswith(ENCAPSULATED):
        return _encapsulated(asked, held, header)
    if not held.sop_class.startswith(REPORTS):
        raise NothingHere("Nothing here can be shown as a picture or read as a document.")
    kind = accept.choose_kind(header, (HTML, TEXT)).kind
    with asked.store.database.reading() as db:
        attributes = archive.attributes_of(db, held.sop_uid)
    headers = {"Cache-Control": REVALIDATE, "Vary": "Accept"}
    body = report_page(attributes) if kind == HTML else "\n".join(_text_lines(attributes, 0)) + "\n"
    return Response(body.encode(), headers=headers, media_type=f"{kind}; charset=utf-8")


def _encapsulated(asked: Asked, held: archive.HeldFrames, header: str) -> Response:
    """Return an encapsulated document as it was put in (PS3.3 C.24.2)."""
    with asked.store.database.reading() as db:
        attributes = archive.attributes_of(db, held.sop_uid)
    mime = _first(attributes, MIME).lower()
    kind = accept.choose_kind(header, (mime if mime in MIME_TYPES else accept.OCTETS,)).kind
    headers = {"Cache-Control": REVALIDATE, "Vary": "Accept", "Content-Disposition": "inline"}
    inline = attributes.get(DOCUMENT, {}).get("InlineBinary")
    stated = attributes.get(LENGTH, {}).get("Value") or [None]
    if inline is not None:
        return Response(base64.b64decode(inline)[: stated[0]], headers=headers, media_type=kind)
    value = archive.find_bulk(asked.store, held, int(DOCUMENT, 16))
    length = min(int(stated[0] or value.size), value.size)
    pieces = iter(value.chunks(asked.store, 0, length))
    return Streamed(pieces, asked.context.threads, media_type=kind, headers=headers, size=length)


def report_page(attributes: archive.Attributes) -> str:
    """Return a structured report as a page: its tree of names and values, as it stands."""
    title = _concept(attributes) or "Report"
    about = (
        ("Patient", _name(attributes, "00100010")),
        ("Patient ID", _first(attributes, "00100020")),
        ("Birth date", _first(attributes, "00100030")),
        ("Study date", _first(attributes, "00080020")),
        ("Completion", _first(attributes, "0040A491")),
        ("Verification", _first(attributes, "0040A493")),
    )
    head = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in about if value)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{escape(title)}</h1><dl>{head}</dl>"
        f"{''.join(_sections(attributes))}</body></html>"
    )


def _sections(item: archive.Attributes) -> Iterator[str]:
    for child in item.get("0040A730", {}).get("Value", ()):
        name, value = escape(_concept(child)), escape(_value(child))
        inner = "".join(_sections(child))
        yield f"<section><dl><dt>{name}</dt><dd>{value}</dd></dl>{inner}</section>"


def _text_lines(item: archive.Attributes, depth: int) -> Iterator[str]:
    lead = "  " * depth
    yield f"{lead}{_concept(item)}: {_value(item)}".rstrip(": ")
    for child in item.get("0040A730", {}).get("Value", ()):
        yield from _text_lines(child, depth + 1)


def _concept(item: archive.Attributes) -> str:
    return _code(item, "0040A043")


def _code(item: archive.Attributes, tag: str) -> str:
    """Return the meaning of a coded entry."""
    codes = item.get(tag, {}).get("Value") or [{}]
    return _first(codes[0] or {}, "00080104") or _first(codes[0] or {}, "00080100")


def _value(item: archive.Attributes) -> str:
    """Return the value of a content item as text (PS3.3 table C.17.3-7)."""
    kind = _first(item, "0040A040")
    if kind == "CODE":
        return _code(item, "0040A168")
    if kind == "NUM":
        measured = (item.get("0040A300", {}).get("Value") or [{}])[0] or {}
        unit = _first((measured.get("004008EA", {}).get("Value") or [{}])[0] or {}, "00080100")
        return f"{_first(measured, '0040A30A')} {unit}".strip()
    if kind == "PNAME":
        return _name(item, "0040A123")
    if kind in {"IMAGE", "COMPOSITE", "WAVEFORM"}:
        references = item.get("00081199", {}).get("Value", ())
        return ", ".join(_first(r, "00081155") for r in references if r)
    tag = {"TEXT": "0040A160", "DATE": "0040A121", "TIME": "0040A122", "DATETIME": "0040A120",
           "UIDREF": "0040A124", "SCOORD": "00700023", "SCOORD3D": "00700023",
           "TCOORD": "0040A130"}.get(kind)  # fmt: skip
    return _first(item, tag) if tag else ""


def _first(item: archive.Attributes, tag: str) -> str:
    values: list[Any] = item.get(tag, {}).get("Value") or [""]
    return "" if values[0] is None else str(values[0])


def _name(item: archive.Attributes, tag: str) -> str:
    values: list[Any] = item.get(tag, {}).get("Value") or [{}]
    groups = values[0] if isinstance(values[0], dict) else {}
    return " ".join(str(groups[g]).replace("^", " ").strip() for g in groups)
