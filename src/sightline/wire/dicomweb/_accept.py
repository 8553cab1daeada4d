"""What the client can take, and what it is therefore given (PS3.18 8.7)."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from sightline.kernel.errors import Invalid

JSON, PLAIN_JSON, XML = "application/dicom+json", "application/json", "application/dicom+xml"
DICOM, OCTETS, ZIP = "application/dicom", "application/octet-stream", "application/zip"
EXPLICIT = "1.2.840.10008.1.2.1"
BIG_ENDIAN = "1.2.840.10008.1.2.2"
RLE = "1.2.840.10008.1.2.5"
_JPEG = "1.2.840.10008.1.2.4."
# What differs from explicit little endian in its headers only: the pixels are the same bytes.
RAW = frozenset({EXPLICIT, "1.2.840.10008.1.2", "1.2.840.10008.1.2.1.99"})
# PS3.18 tables 8.7.3-2 to 8.7.3-5: which syntaxes a media type stands for; the first is made.
IMAGES = {
    "image/jpeg": tuple(f"{_JPEG}{n}" for n in (50, 51, 57, 70)),
    "image/jls": tuple(f"{_JPEG}{n}" for n in (80, 81)),
    "image/jp2": tuple(f"{_JPEG}{n}" for n in (90, 91)),
    "image/jpx": tuple(f"{_JPEG}{n}" for n in (92, 93)),
    "image/jphc": tuple(f"{_JPEG}{n}" for n in (202, 201, 203)),
    "image/jxl": tuple(f"{_JPEG}{n}" for n in (110, 111, 112)),
    "image/dicom-rle": (RLE,),
}
VIDEOS = {
    "video/mpeg": tuple(f"{_JPEG}{n}" for n in ("100", "100.1", "101", "101.1")),
    "video/mp4": tuple(f"{_JPEG}{n}" for n in (
        "102", "102.1", "103", "103.1", "104", "104.1", "105", "105.1", "106", "106.1", "107", "108")),
}  # fmt: skip
# Names of older editions, and of viewers that never had another.
_ALSO_CALLED = {
    "image/jph": "image/jphc",
    "image/x-jls": "image/jls",
    "image/x-dicom-rle": "image/dicom-rle",
    "image/dicom+jpeg": "image/jpeg",
    "image/dicom+jpeg-ls": "image/jls",
    "image/dicom+jp2": "image/jp2",
    "image/dicom+rle": "image/dicom-rle",
}
# What is made on request, without loss: HTJ2K, JPEG-LS and JPEG 2000.
ENCODABLE = frozenset(f"{_JPEG}{n}" for n in (201, 202, 80, 90))
DECODABLE = RAW | {BIG_ENDIAN, RLE} | {
    syntax for kind in ("image/jpeg", "image/jls", "image/jp2", "image/jphc") for syntax in IMAGES[kind]
}  # fmt: skip


class NotAcceptable(Invalid):
    """The resource cannot be given in any form that the client accepts; ask for another."""

    status = 406


@dataclass(frozen=True, slots=True)
class MediaRange:
    """One entry of an Accept header; for multipart, `kind` is the type of the parts."""

    kind: str
    multipart: bool
    syntax: str
    quality: float


@dataclass(frozen=True, slots=True)
class Form:
    """The form a thing is given in: media type, alone or in parts, and the transfer syntax."""

    kind: str
    multipart: bool
    syntax: str


@lru_cache(maxsize=512)
def parse_accept(header: str) -> tuple[MediaRange, ...]:
    """Return the entries of an Accept header, best first; a named type goes before one with a star.

    >>> parse_accept('multipart/related; type="image/jls"; q=0.5, */*')[0]
    MediaRange(kind='*/*', multipart=False, syntax='', quality=1.0)
    """
    ranges = [_parse_range(entry) for entry in _split(header[:8192] or "*/*", ",")]
    return tuple(sorted(ranges, key=lambda r: (-r.quality, r.kind.count("*"))))


def _parse_range(entry: str) -> MediaRange:
    kind, parameters = parse_media_type(entry)
    try:
        quality = float(parameters.get("q", "1"))
    except ValueError:
        quality = 0.0
    multipart = kind == "multipart/related"
    inner = parameters.get("type", "*/*").lower() if multipart else kind
    return MediaRange(inner, multipart, parameters.get("transfer-syntax", ""), quality)


def parse_media_type(text: str) -> tuple[str, dict[str, str]]:
    """Return a media type and its parameters, in lower case but for the values.

    >>> parse_media_type('Multipart/Related; Type="application/dicom"; boundary=a')
    ('multipart/related', {'type': 'application/dicom', 'boundary': 'a'})
    """
    kind, *rest = _split(text, ";")
    parameters = {}
    for part in rest:
        name, _, value = part.partition("=")
        parameters[name.strip().lower()] = value.strip().strip('"')
    return kind.strip().lower(), parameters


def _split(text: str, separator: str) -> Iterator[str]:
    """Split at separators that are not inside quotes."""
    piece, quoted = "", False
    for character in text:
        if character == '"':
            quoted = not quoted
        if character == separator and not quoted:
            yield piece
            piece = ""
        else:
            piece += character
    yield piece


@lru_cache(maxsize=1024)
def choose_frames(header: str, stored: str, *, several: bool) -> Form:
    """Choose the form of frames stored in the syntax `stored` (PS3.18 10.4.1.1.6, 8.7.3.3)."""
    for wanted in parse_accept(header):
        single = not wanted.multipart and wanted.kind != "*/*"
        if wanted.quality <= 0 or (single and several):
            continue
        syntax = _frame_syntax(wanted, stored)
        if syntax is not None:
            kind = media_type_of(stored) if wanted.kind == "image/*" else wanted.kind
            return Form(OCTETS if wanted.kind == "*/*" else kind, not single, syntax)
    raise NotAcceptable(
        f"Frames are given as application/octet-stream, decoded or as stored ({stored}), or as HTJ2K, "
        "JPEG-LS or JPEG 2000 without loss; ask for one of these."
    )


def _frame_syntax(wanted: MediaRange, stored: str) -> str | None:
    """Return the syntax in which frames stored in `stored` answer to one entry, None when in none."""
    if wanted.kind in {OCTETS, "*/*"}:
        if wanted.syntax == stored or (wanted.syntax == "*" and stored != BIG_ENDIAN):
            return stored
        if wanted.syntax == "*":
            return EXPLICIT  # big endian is not used with web services, unless it is asked for by name
        if not wanted.syntax and stored not in DECODABLE:
            return stored if wanted.kind == "*/*" else None
        return _made(wanted.syntax or EXPLICIT, stored)
    if wanted.kind == "image/*":
        return stored if media_type_of(stored).startswith("image/") else None
    family = IMAGES.get(_ALSO_CALLED.get(wanted.kind, wanted.kind), ())
    if stored in family and wanted.syntax in {"", "*", stored}:
        return stored
    target = family[0] if family and wanted.syntax in {"", "*"} else wanted.syntax
    return _made(target, stored) if target in family else None


def _made(target: str, stored: str) -> str | None:
    """Return `target` when it can be made without loss of what is stored in `stored`."""
    if stored not in DECODABLE:
        return None
    if target == EXPLICIT:
        return stored if stored in RAW else EXPLICIT
    return target if target in ENCODABLE else None


@lru_cache(maxsize=1024)
def choose_objects(header: str, stored: str, *, several: bool) -> Form:
    """Choose the form of whole objects (PS3.18 10.4.1.1.1, 8.7.3.2)."""
    for wanted in parse_accept(header):
        single = not wanted.multipart and wanted.kind not in {"*/*", "application/*"}
        if wanted.quality <= 0:
            continue
        if wanted.kind == ZIP and single:
            return Form(ZIP, False, _object_syntax(wanted.syntax or "*", stored) or stored)
        if (single and several) or wanted.kind not in {DICOM, "*/*", "application/*"}:
            continue
        syntax = _object_syntax(wanted.syntax, stored)
        if syntax is None and not wanted.syntax:
            syntax = stored  # no decoder reads it, and the client named none that it needs
        if syntax is not None:
            return Form(DICOM, not single, syntax)
    raise NotAcceptable(
        f"Objects are given as application/dicom, in explicit VR little endian, as stored ({stored}), or as "
        "HTJ2K, JPEG-LS or JPEG 2000 without loss; ask for one of these."
    )


def _object_syntax(asked: str, stored: str) -> str | None:
    if asked in {"*", stored}:
        return stored
    target = asked or EXPLICIT
    return target if stored in DECODABLE and (target == EXPLICIT or target in ENCODABLE) else None


@lru_cache(maxsize=512)
def choose_attributes(header: str, *, several: bool = True) -> Form:
    """Choose JSON or XML for attributes; XML of several is sent in parts (PS3.18 8.7.3.1)."""
    for wanted in parse_accept(header):
        if wanted.quality <= 0:
            continue
        if wanted.kind == XML and (wanted.multipart or not several):
            return Form(XML, wanted.multipart, "")
        if wanted.kind in {"*/*", "application/*", JSON}:
            return Form(JSON, False, "")
        if wanted.kind == PLAIN_JSON:
            return Form(PLAIN_JSON, False, "")
    raise NotAcceptable(
        f'This is given as {JSON}, or as multipart/related; type="{XML}"; ask for one of these.'
    )


def choose_kind(header: str, offered: tuple[str, ...]) -> MediaRange:
    """Choose one of the media types offered; the first when the client takes anything."""
    for wanted in parse_accept(header):
        if wanted.quality <= 0:
            continue
        if wanted.kind in offered:
            return wanted
        family = wanted.kind.removesuffix("*")
        if family != wanted.kind:
            fitting = next((kind for kind in offered if kind.startswith(family.removesuffix("*/"))), None)
            if fitting is not None:
                return MediaRange(fitting, wanted.multipart, wanted.syntax, wanted.quality)
    raise NotAcceptable(f"This is given as {' or '.join(offered)}; ask for one of these.")


def media_type_of(syntax: str) -> str:
    """Return the media type that pixels in a syntax are told under."""
    families = {**IMAGES, **VIDEOS}
    return next((kind for kind, syntaxes in families.items() if syntax in syntaxes), OCTETS)
