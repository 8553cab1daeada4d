"""The Native DICOM Model: attributes as XML (PS3.19 A.1, PS3.18 F for JSON, which everything else speaks).

XML from outside is read without entities, document types or anything that is fetched, and neither deeper nor
larger than stated.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from pydicom.datadict import keyword_for_tag

from sightline.kernel.errors import Invalid
from sightline.record.archive import Attributes

NAMESPACE = "http://dicom.nema.org/PS3.19/models/NativeDICOM"
MAX_DEPTH = 64 * 3
MAX_ELEMENTS = 2_000_000
GROUPS = ("Alphabetic", "Ideographic", "Phonetic")
COMPONENTS = ("FamilyName", "GivenName", "MiddleName", "NamePrefix", "NameSuffix")
_NUMERIC = {"DS": float, "FD": float, "FL": float, "IS": int, "SL": int, "SS": int, "SV": int}
_NUMERIC |= {"UL": int, "US": int, "UV": int}
# XML 1.0 has no way to write these (section 2.2).
_UNWRITABLE = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 65534, 65535))


class BadXml(Invalid):
    """The body is not the Native DICOM Model in XML; correct it and send it again."""

    status = 400


def render_native(attributes: Attributes) -> bytes:
    """Return attributes as an XML document.

    >>> b'keyword="PatientID"><Value number="1">4711</Value>' in render_native(
    ...     {"00100020": {"vr": "LO", "Value": ["4711"]}}
    ... )
    True
    """
    body = "".join(_dataset(attributes))
    head = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<NativeDicomModel xmlns="{NAMESPACE}" xml:space="preserve">'
    )
    return f"{head}{body}</NativeDicomModel>".encode()


def _dataset(attributes: Attributes) -> Iterator[str]:
    for tag, element in sorted(attributes.items()):
        keyword = _keyword(tag)
        named = f" keyword={quoteattr(keyword)}" if keyword else _creator(tag, attributes)
        inner = "".join(_content(element))
        yield f'<DicomAttribute tag="{tag}" vr="{element["vr"]}"{named}>{inner}</DicomAttribute>'


@lru_cache(maxsize=8192)
def _keyword(tag: str) -> str:
    return str(keyword_for_tag(int(tag, 16)))


def _creator(tag: str, attributes: Attributes) -> str:
    """Return the attribute that says whose a private element is (PS3.5 7.8.1)."""
    if not int(tag[:4], 16) & 1 or tag[4:6] == "00":
        return ""
    value = attributes.get(f"{tag[:4]}00{tag[4:6]}", {}).get("Value") or [""]
    return f" privateCreator={quoteattr(_text(value[0]))}" if value[0] else ""


def _content(element: dict[str, Any]) -> Iterator[str]:
    if "InlineBinary" in element:
        yield f"<InlineBinary>{element['InlineBinary']}</InlineBinary>"
    elif "BulkDataURI" in element:
        yield f"<BulkData uri={quoteattr(_text(element['BulkDataURI']))}/>"
    for number, value in enumerate(element.get("Value", ()), 1):
        if value is None:
            continue
        if element["vr"] == "SQ":
            yield f'<Item number="{number}">{"".join(_dataset(value))}</Item>'
        elif isinstance(value, dict):
            yield f'<PersonName number="{number}">{"".join(_name(value))}</PersonName>'
        else:
            yield f'<Value number="{number}">{escape(_text(value))}</Value>'


def _name(value: dict[str, Any]) -> Iterator[str]:
    for group in GROUPS:
        if value.get(group):
            parts = zip(COMPONENTS, _text(value[group]).split("^"), strict=False)
            inner = "".join(f"<{name}>{escape(part)}</{name}>" for name, part in parts if part)
            yield f"<{group}>{inner}</{group}>"


def _text(value: Any) -> str:
    return str(value).translate(_UNWRITABLE)


def parse_native(data: bytes) -> list[Attributes]:
    """Return the attributes of each `NativeDicomModel` in a document, in DICOM JSON.

    Raises
    ------
    BadXml
        If it is no XML, has a document type or entities, is nested too deep, or is something else.
    """
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = _refuse
    parser.ExternalEntityRefHandler = parser.UnparsedEntityDeclHandler = _refuse
    try:
        parser.Parse(data, True)
    except expat.ExpatError:
        raise BadXml("The body is not well-formed XML.") from None
    except (ValueError, LookupError, TypeError, AttributeError):  # an element where none belongs
        raise BadXml("The body is not the Native DICOM Model (PS3.19 A.1).") from None
    if not reader.models:
        raise BadXml("The body holds no NativeDicomModel (PS3.19 A.1).")
    return reader.models


def _refuse(*_: Any) -> Any:
    raise BadXml("XML with a document type or entities is not read; send it without.")


class _Reader:
    """Builds DICOM JSON from the events of a parser; one stack holds what is open."""

    def __init__(self) -> None:
        self.models: list[Attributes] = []
        self._open: list[tuple[str, Any]] = []
        self._pieces: list[str] = []
        self._seen = 0

    def start(self, full_name: str, given: dict[str, str]) -> None:
        """Open an element."""
        name = full_name.rpartition(" ")[2]
        self._seen += 1
        if len(self._open) >= MAX_DEPTH or self._seen > MAX_ELEMENTS:
            raise BadXml("The XML is nested too deep or has too many elements.")
        self._pieces.clear()
        self._open.append((name, self._made(name, given)))

    def _made(self, name: str, given: dict[str, str]) -> Any:
        """Return what an element becomes; an attribute is put into its dataset at once."""
        if name == "NativeDicomModel":
            return {}
        if name == "DicomAttribute":
            tag, vr = given["tag"].upper(), given["vr"]
            if len(tag) != 8 or not vr.isalpha() or len(vr) != 2:
                raise ValueError(tag)
            int(tag, 16)
            element: dict[str, Any] = {"vr": vr}
            self._inside()[tag] = element
            return element
        if name == "BulkData":
            self._inside()["BulkDataURI"] = given["uri"]
        if name in {"Item", "PersonName"}:
            made: dict[str, Any] = {}
            self._place(int(given.get("number", "1")), made)
            return made
        if name == "Value":
            return int(given.get("number", "1"))
        if name in GROUPS:
            return dict.fromkeys(COMPONENTS, "")
        return None

    def _inside(self) -> Any:
        return self._open[-1][1]

    def _place(self, number: int, value: Any) -> None:
        """Put a value at its number; those that are left out are empty."""
        values = self._inside().setdefault("Value", [])
        if not 1 <= number <= len(values) + 1024:
            raise ValueError(number)
        values.extend([None] * (number - len(values)))
        values[number - 1] = value

    def text(self, text: str) -> None:
        """Add text to the element that is open."""
        self._pieces.append(text)

    def end(self, full_name: str) -> None:
        """Close an element."""
        name, made = self._open.pop()
        close = _CLOSING.get(name)
        if close is not None:
            close(self, name, made)
        if name == "NativeDicomModel":
            self.models.append(made)
        self._pieces.clear()

    @property
    def _text(self) -> str:
        return "".join(self._pieces)

    def _end_value(self, _: str, number: int) -> None:
        element = self._inside()
        self._place(number, _value_of(element["vr"], self._text))

    def _end_binary(self, _: str, __: None) -> None:
        self._inside()["InlineBinary"] = "".join(self._text.split())

    def _end_component(self, name: str, _: None) -> None:
        self._inside()[name] = self._text

    def _end_group(self, name: str, components: dict[str, str]) -> None:
        self._inside()[name] = "^".join(components[part] for part in COMPONENTS).rstrip("^")


def _value_of(vr: str, text: str) -> Any:
    """Return a value as JSON has it; what is no number although it should be stays text."""
    try:
        return _NUMERIC.get(vr, str)(text)
    except ValueError:
        return text


_CLOSING: dict[str, Callable[[_Reader, str, Any], None]] = {
    "Value": _Reader._end_value,
    "InlineBinary": _Reader._end_binary,
    **dict.fromkeys(COMPONENTS, _Reader._end_component),
    **dict.fromkeys(GROUPS, _Reader._end_group),
}
