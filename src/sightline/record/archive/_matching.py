"""What a query asks of one attribute: the matching types of PS3.4 C.2.2.2, and the forms they are met in.

QIDO-RS and C-FIND read their keys by `parse_match`; the store turns them into SQL.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, TypeAlias

from sightline.kernel.errors import Invalid

Level: TypeAlias = Literal["patient", "study", "series", "instance"]


class BadKey(Invalid):
    """A value to match cannot be one of its attribute; correct it."""


@dataclass(frozen=True, slots=True)
class Single:
    """Equal to the value (C.2.2.2.1); a name whatever its case and accents."""

    value: str


@dataclass(frozen=True, slots=True)
class Wildcard:
    """Like the pattern: ``*`` stands for any text, ``?`` for any one character (C.2.2.2.4)."""

    pattern: str


@dataclass(frozen=True, slots=True)
class Range:
    """From `low` to `high`, both included; an empty end is open (C.2.2.2.5)."""

    low: str
    high: str


@dataclass(frozen=True, slots=True)
class UidList:
    """Equal to one of the values (C.2.2.2.2, and for other attributes C.2.2.2.8)."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Universal:
    """Whatever it is (C.2.2.2.3)."""


@dataclass(frozen=True, slots=True)
class Empty:
    """Without a value (C.2.2.2.7)."""


Match: TypeAlias = Single | Wildcard | Range | UidList | Universal | Empty


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked, and of which level; keys of any level are allowed (relational, C.4.1.2.2.2).

    `keys` are by tag, inside a sequence joined by a dot: ``00400275.00400009``. `fuzzy` finds names with one
    or two typos and parts of names by their beginning. With `combined_datetime` a range of dates and one of
    times (StudyDate and StudyTime) are one range of moments (C.2.2.2.5).
    """

    level: Level
    keys: Mapping[str, Match] = field(default_factory=dict)
    fuzzy: bool = False
    labels: tuple[str, ...] = ()
    combined_datetime: bool = False


# Value representations whose values may hold wildcards (PS3.4 C.2.2.2.4) and of which several may be given.
_WILD = frozenset({"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"})
_ONE_VALUE = frozenset({"LT", "ST", "UR", "UT"})
_MOMENTS = frozenset({"DA", "TM", "DT"})
_WHOLE = frozenset({"IS", "SL", "SS", "UL", "US", "SV", "UV"})
_MOST_VALUES = 10_000
_MOST_LENGTH = 1024
_FORMS = {
    "DA": re.compile(r"\d{4}(\d\d(\d\d)?)?"),
    "TM": re.compile(r"\d\d(\d\d(\d\d(\.\d{1,6})?)?)?"),
    "DT": re.compile(r"\d{4}(\d\d(\d\d(\d\d(\d\d(\d\d(\.\d{1,6})?)?)?)?)?)?([+-]\d{4})?"),
}
_RANGE_OF_DT = re.compile(r"(?P<low>[0-9.]*([+-]\d{4}(?=-))?)-(?P<high>[0-9.]*([+-]\d{4})?)")


def parse_match(tag: str, vr: str, text: str | list[str]) -> Match:
    r"""Read what a query asks of an attribute.

    Parameters
    ----------
    tag : str
        Its tag, for the message when the value is wrong.
    vr : str
        Its value representation, which decides what a hyphen, a star or a backslash mean.
    text : str or list of str
        The value as it came; a list where the wire has separated the values already.

    Raises
    ------
    BadKey
        If the value cannot be one of this representation.

    Examples
    --------
    >>> parse_match("00100010", "PN", "Mül*"), parse_match("00080020", "DA", "20240101-")
    (Wildcard(pattern='Mül*'), Range(low='20240101', high=''))
    >>> parse_match("0020000D", "UI", r"1.2\1.3"), parse_match("00080050", "SH", '""')
    (UidList(values=('1.2', '1.3')), Empty())
    """
    values = [text] if isinstance(text, str) else list(text)
    parts = [part for value in values for part in _separated(vr, value)]
    if not parts or any(part and not part.strip("*") for part in parts):
        return Universal()
    if len(parts) > _MOST_VALUES or any(len(part) > _MOST_LENGTH for part in parts):
        raise BadKey(f"({tag}) is asked for with too many or too long values.")
    if len(parts) == 1:
        return _one(tag, vr, parts[0])
    return UidList(tuple(_plain(tag, vr, part) for part in parts))


def _separated(vr: str, text: str) -> list[str]:
    """Return the values of a text: separated by backslash, UIDs on the web by comma as well."""
    if vr == "UI":
        text = text.replace(",", "\\")
    parts = [text] if vr in _ONE_VALUE else text.split("\\")
    return [part for part in (part.strip(" \0") for part in parts) if part]


def _one(tag: str, vr: str, text: str) -> Match:
    if text == '""':
        return Empty()
    if vr in _MOMENTS:
        return _moment(tag, vr, text)
    if vr in _WILD and set(text) & {"*", "?"}:
        return Wildcard(text)
    return Single(_plain(tag, vr, text))


def _plain(tag: str, vr: str, text: str) -> str:
    if vr in _WHOLE or vr == "DS":
        try:
            return str(int(text)) if vr in _WHOLE else repr(float(text))
        except ValueError:
            raise BadKey(f"({tag}) is asked for with a value that is no number.") from None
    return _form(tag, vr, text) if vr in _MOMENTS else text


def _moment(tag: str, vr: str, text: str) -> Match:
    if vr == "DT":
        found = None if _FORMS["DT"].fullmatch(text) else _RANGE_OF_DT.fullmatch(text)
        ends = (found["low"], found["high"]) if found else None
    else:
        low, hyphen, high = _legacy(vr, text).partition("-")
        ends = (low.strip(), high.strip()) if hyphen else None
    if ends is None:
        return Single(_form(tag, vr, text))
    if not any(ends):
        return Universal()
    return Range(*(end and _form(tag, vr, end) for end in ends))


def _legacy(vr: str, text: str) -> str:
    """Return a date or time without the separators of ACR-NEMA, or those that people write."""
    if vr == "DA":
        text = re.sub(r"(?<!\d)(\d{4})([.\-])(\d\d)\2(\d\d)(?!\d)", r"\1\3\4", text)
    return text.replace(":", "") if vr == "TM" else text


def _form(tag: str, vr: str, text: str) -> str:
    text = _legacy(vr, text)
    if not _FORMS[vr].fullmatch(text):
        raise BadKey(f"({tag}) is asked for with a value that is no {vr} (PS3.5 6.2).")
    return text


@lru_cache(maxsize=4096)
def normalise_text(text: str) -> str:
    """Return text as it is searched for: no accents, no case, one blank between words.

    >>> normalise_text("Schädel  NATIV")
    'schadel nativ'
    """
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return " ".join(plain.casefold().split())


def normalise_name(name: str) -> str:
    """Return a person's name as it is searched for: no accents, no case, one blank between components.

    The alphabetic, ideographic and phonetic groups stay apart (PS3.5 6.2.1.2).

    >>> normalise_name("Müller^Jörg=山田^太郎")
    'muller jorg=山田 太郎'
    """
    groups = (normalise_text(group.replace("^", " ")).replace("=", " ") for group in name.split("=", 2))
    return "=".join(groups).rstrip("=")


def normalise_term(text: str) -> str:
    """Return a text that is no name as a term: an equals sign, which parts groups of names, is a blank."""
    return normalise_text(text.replace("=", " "))


# Typos allowed in a part of a name that is asked for, by its length.
SHORTEST_FUZZY, SHORTEST_FOR_TWO = 4, 7
# At most one of them within so many first letters: what lets an index find it.
FUZZY_HEAD = 5


def is_near(token: str, word: str) -> bool:
    """Say whether a word begins like the token, give or take a typo (two from seven letters on).

    A typo is a letter left out, too much or another; at most one is allowed in the first five letters.

    >>> is_near("schmitd", "schmidt"), is_near("meier", "meyerhof"), is_near("meier", "maler")
    (True, True, False)
    """
    if len(token) < SHORTEST_FUZZY:
        return word.startswith(token)
    if len(token) < SHORTEST_FOR_TWO:
        return _begins_like(token, word, 1)
    return _begins_like(token[:FUZZY_HEAD], word, 1) and _begins_like(token, word, 2)


def _begins_like(token: str, word: str, typos: int) -> bool:
    """Say whether so few typos make the token a beginning of the word: letters that agree always pair."""
    if word.startswith(token):
        return True
    if not typos:
        return False
    at = next(
        (n for n, (a, b) in enumerate(zip(token, word, strict=False)) if a != b), min(len(token), len(word))
    )
    rest, left = token[at:], word[at:]
    return (
        _begins_like(rest[1:], left, typos - 1)
        or (left != "" and _begins_like(rest[1:], left[1:], typos - 1))
        or (left != "" and _begins_like(rest, left[1:], typos - 1))
    )
