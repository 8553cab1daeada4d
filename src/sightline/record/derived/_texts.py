"""Text and UIDs as DICOM takes them."""

import hashlib
import re
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import highdicom as hd

from sightline.kernel.codes import Code

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def plain(text: str) -> str:
    """Return the text without control characters, which neither DICOM's UTF-8 nor HTML may hold.

    >>> plain("a\\x00b\\x1b[31m\\nc")
    'ab[31m\\nc'
    """
    return _CONTROL.sub("", text)


def short_text(text: str, *, limit: int = 64) -> str:
    r"""Return the text as one DICOM LO value: one line, no backslash, not too long (PS3.5 6.2).

    >>> short_text("North\\South\n Hospital")
    'North/South Hospital'
    """
    return " ".join(plain(text).replace("\\", "/").split())[:limit]


def deterministic_uid(*parts: str) -> str:
    """Return the UID that always belongs to these parts: ``2.25.`` and a UUID made of their SHA-256.

    The UUID is of version 8 (RFC 9562 5.8), as a name-based one with SHA-256 has to be.

    References
    ----------
    PS3.5 B.2 (UUID derived UID).

    Examples
    --------
    >>> deterministic_uid("report", "7") == deterministic_uid("report", "7")
    True
    >>> deterministic_uid("ab", "c") == deterministic_uid("a", "bc")
    False
    >>> deterministic_uid("x")
    '2.25.3401237581618490545085722688739375183'
    """
    named = hashlib.sha256()
    for part in parts:
        encoded = part.encode()
        named.update(len(encoded).to_bytes(8, "big") + encoded)
    value = int.from_bytes(named.digest()[:16], "big")
    value = value & ~(0xF << 76) | (8 << 76)
    value = value & ~(0x3 << 62) | (2 << 62)
    return f"2.25.{uuid.UUID(int=value).int}"


@contextmanager
def unquoted() -> Iterator[None]:
    """Keep libraries from quoting a patient's values in warnings about what is wrong with them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def coded(code: Code) -> hd.sr.CodedConcept:
    """Return our code as DICOM's, its meaning cut to what fits (LO)."""
    return hd.sr.CodedConcept(code.value, code.scheme, short_text(code.meaning))
