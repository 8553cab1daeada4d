"""Whether two objects that differ in their bytes are one and the same.

A sender that negotiates another transfer syntax sends the same object in other bytes: that is no conflict.
"""

from sightline.record.archive._attributes import read_attributes
from sightline.record.archive._model import ObjectRefused
from sightline.record.archive._scan import DEFLATED, IMPLICIT, Buffer, inflated, scan

# The value of each element is the same bytes in these; only what stands before it differs.
_ALIKE = frozenset({IMPLICIT, "1.2.840.10008.1.2.1", DEFLATED})


def is_same_object(one: Buffer, other: Buffer) -> bool:
    """Say whether two files hold the same dataset, written in different uncompressed transfer syntaxes."""
    try:
        return _contents(one) == _contents(other)
    except (ObjectRefused, _NotComparable):
        return False


class _NotComparable(Exception):
    """Compressed or big-endian objects are not compared: decoding might make them alike."""


def _contents(buffer: Buffer) -> tuple[object, ...]:
    found = scan(buffer)
    if found.syntax not in _ALIKE or (found.pixels is not None and found.pixels.encapsulated):
        raise _NotComparable
    header = read_attributes(found.header, implicit=found.implicit, little=True, by_dictionary=True)
    spans = sorted((tag, span.offset, span.length) for tag, span in found.bulk.items())
    if found.pixels is not None:
        spans.append((found.pixels.tag, found.pixels.span.offset, found.pixels.span.length))
    source = inflated(buffer) if found.deflated else buffer
    return header, [(tag, bytes(source[offset : offset + length])) for tag, offset, length in spans]
