"""What the client can take, and what it is therefore given (PS3.18 8.7)."""

from collections.abc import Iterator
from dataclasses import dataclass

from sightline.kernel.errors import Invalid

EXPLICIT = "1.2.840.10008.1.2.1"
# What differs from explicit little endian in its headers only: the pixels are the same bytes.
RAW = frozenset({EXPLICIT, "1.2.840.10008.1.2", "1.2.840.10008.1.2.1.99"})
# PS3.18 tables 8.7.3-2 to 8.7.3-5: which stored syntaxes a media type stands for.
_IMAGES = {
    "image/jpeg": tuple(f"1.2.840.10008.1.2.4.{n}" for n in (50, 51, 57, 70)),
    "image/jls": ("1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81"),
    "image/jp2": ("1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91"),
    "image/jpx": ("1.2.840.10008.1.2.4.92", "1.2.840.10008.1.2.4.93"),
    "image/jphc": ("1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202", "1.2.840.10008.1.2.4.203"),
    "image/jxl": ("1.2.840.10008.1.2.4.110", "1.2.840.10008.1.2.4.111", "1.2.840.10008.1.2.4.112"),
    "image/dicom-rle": ("1.2.840.10008.1.2.5",),
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
    """The form a resource is given in: as stored or decoded, alone or in parts, under a media type."""

    kind: str
    multipart: bool
    as_stored: bool


def parse_accept(header: str) -> list[MediaRange]:
    """Return the entries of an Accept header, best first.

    >>> parse_accept('multipart/related; type="image/jls"; q=0.5, */*')[0]
    MediaRange(kind='*/*', multipart=False, syntax='', quality=1.0)
    """
    ranges = [_parse_range(entry) for entry in _split(header or "*/*", ",")]
    return sorted(ranges, key=lambda r: -r.quality)


def _parse_range(entry: str) -> MediaRange:
    first, *rest = _split(entry, ";")
    kind = first.strip().lower()
    parameters = {}
    for part in rest:
        name, _, value = part.partition("=")
        parameters[name.strip().lower()] = value.strip().strip('"')
    try:
        quality = float(parameters.get("q", "1"))
    except ValueError:
        quality = 0.0
    multipart = kind == "multipart/related"
    inner = parameters.get("type", "*/*").lower() if multipart else kind
    return MediaRange(inner, multipart, parameters.get("transfer-syntax", ""), quality)


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


def choose_frames(header: str, stored: str, *, several: bool) -> Form:
    """Choose the form of frames stored in the syntax `stored` (PS3.18 10.4.1.1.6, 8.7.3.3)."""
    for wanted in parse_accept(header):
        single = not wanted.multipart and wanted.kind != "*/*"
        if wanted.quality <= 0 or (single and several):
            continue
        if wanted.kind in {"application/octet-stream", "*/*"}:
            if wanted.syntax in {"*", stored}:
                return Form("application/octet-stream", not single, as_stored=True)
            if wanted.syntax in {"", EXPLICIT}:
                return Form("application/octet-stream", not single, as_stored=stored in RAW)
        elif stored in _IMAGES.get(wanted.kind, ()) and wanted.syntax in {"", "*", stored}:
            return Form(wanted.kind, not single, as_stored=True)
    raise NotAcceptable(
        f"Frames are given as application/octet-stream, decoded or as stored ({stored}); ask for that."
    )


def choose_objects(header: str, stored: str, *, several: bool) -> Form:
    """Choose the form of whole objects (PS3.18 10.4.1.1.1, 8.7.3.2)."""
    for wanted in parse_accept(header):
        single = not wanted.multipart and wanted.kind != "*/*"
        if wanted.quality <= 0 or (single and several) or wanted.kind not in {"application/dicom", "*/*"}:
            continue
        if wanted.syntax in {"*", stored}:
            return Form("application/dicom", not single, as_stored=True)
        if wanted.syntax in {"", EXPLICIT}:
            return Form("application/dicom", not single, as_stored=stored == EXPLICIT)
    raise NotAcceptable(
        f"Objects are given as application/dicom, in explicit VR little endian or as stored ({stored})."
    )


def choose_kind(header: str, offered: tuple[str, ...], *also: str) -> str:
    """Choose one of the media types offered; the first when the client takes anything, or one of `also`."""
    for wanted in parse_accept(header):
        if wanted.quality <= 0:
            continue
        if wanted.kind in offered:
            return wanted.kind
        family = wanted.kind.removesuffix("*")
        if wanted.kind in {"*/*", *also} or (wanted.kind.endswith("/*") and offered[0].startswith(family)):
            return offered[0]
    raise NotAcceptable(f"This is given as {' or '.join(offered)}; ask for one of these.")


def media_type_of(syntax: str) -> str:
    """Return the media type that a stored syntax is told under."""
    return next(
        (kind for kind, syntaxes in _IMAGES.items() if syntax in syntaxes), "application/octet-stream"
    )
