"""Attribute matching on datasets in DICOM JSON (PS3.4 C.2.2.2): value, list, wildcard, range, sequence.

Pure, and bounded by the length of what is compared. Of an attribute that the item does not support the key is
not looked at, as PS3.4 C.2.2.1.3 says of optional keys; `unsupported` tells of it.
"""

from collections.abc import Mapping
from typing import Any

from sightline.record import archive
from sightline.record.orders._model import Attributes

_WILD = frozenset({"AE", "CS", "LO", "LT", "SH", "ST", "UC", "UR", "UT"})
_RANGED = frozenset({"DA", "TM", "DT"})
_GROUPS = ("Alphabetic", "Ideographic", "Phonetic")
_EARLIEST, _LATEST = "00000000", "99999999"
CHARACTER_SET = "00080005"
# Two keys that are one moment: as ranges they are matched together (PS3.4 table K.6-1).
MOMENTS = {"00400002": "00400003"}


def matches(keys: Attributes, item: Attributes) -> bool:
    """Say whether an item has what every key asks for; keys that are empty ask nothing."""
    together = {
        part
        for date, time in MOMENTS.items()
        if _is_range(texts_of(keys.get(date))) and _is_range(texts_of(keys.get(time)))
        for part in (date, time)
    }
    for date in together & MOMENTS.keys():
        if not _within_moments(keys, item, date, MOMENTS[date]):
            return False
    return all(
        _has(key, item.get(tag)) for tag, key in keys.items() if tag != CHARACTER_SET and tag not in together
    )


def wanted_of(keys: Attributes, item: Attributes) -> Attributes:
    """Return what of an item the keys ask to see: the same tags, empty where the item has nothing.

    A sequence key that names nothing asks for the whole of each of its items.
    """
    shown: Attributes = {}
    for tag, key in keys.items():
        if tag == CHARACTER_SET or tag not in item:
            continue
        element = item[tag]
        inner = _only_item(key)
        if element["vr"] == "SQ" and inner:
            element = {"vr": "SQ", "Value": [wanted_of(inner, part) for part in element.get("Value", ())]}
        shown[tag] = element
    return shown


def unsupported(keys: Attributes, item: Attributes) -> bool:
    """Say whether the keys ask for an attribute that no item has."""
    for tag, key in keys.items():
        if tag == CHARACTER_SET:
            continue
        if tag not in item:
            return True
        inner, parts = _only_item(key), item[tag].get("Value", ())
        if item[tag]["vr"] == "SQ" and inner and parts and unsupported(inner, parts[0]):
            return True
    return False


def texts_of(element: Mapping[str, Any] | None) -> list[str]:
    """Return the values of an element as texts, without padding and without empty ones."""
    values = (element or {}).get("Value") or ()
    plain = (
        "=".join(v.get(g, "") for g in _GROUPS).rstrip("=") if isinstance(v, dict) else v for v in values
    )
    return [text for value in plain if value is not None and (text := str(value).strip())]


def date_range(text: str) -> tuple[str, str]:
    """Return first and last day of a date key; a single date is both.

    >>> date_range("20260503-"), date_range("2026.05.03")
    (('20260503', '99999999'), ('20260503', '20260503'))
    """
    low, dash, high = text.replace(".", "").partition("-")
    return (low.strip() or _EARLIEST, (high.strip() or _LATEST) if dash else low.strip())


def time_range(text: str) -> tuple[str, str]:
    """Return first and last moment of a time key, to the microsecond; ``10`` is the whole hour.

    >>> time_range("10-1130")
    ('100000000000', '113059999999')
    """
    low, dash, high = text.replace(":", "").partition("-")
    return _padded(low.strip() or "00", "0"), _padded(high.strip() or "23" if dash else low.strip(), "9")


def wildcard(pattern: str, text: str) -> bool:
    """Say whether a text is what a pattern of ``*`` and ``?`` describes; time is linear in practice.

    >>> wildcard("a*b?d", "axxbcd"), wildcard("*", ""), wildcard("a?", "a")
    (True, True, False)
    """
    at = star = mark = 0
    starred = False
    for_text = 0
    while for_text < len(text):
        if at < len(pattern) and pattern[at] == "*":
            starred, star, mark = True, at, for_text
            at += 1
        elif at < len(pattern) and pattern[at] in ("?", text[for_text]):
            at, for_text = at + 1, for_text + 1
        elif starred:
            mark += 1
            at, for_text = star + 1, mark
        else:
            return False
    return not pattern[at:].strip("*")


def _has(key: Mapping[str, Any], element: Mapping[str, Any] | None) -> bool:
    if key["vr"] == "SQ":
        inner = _only_item(key)
        if element is None or not _asks(inner):
            return True
        return any(matches(inner, part) for part in element.get("Value", ()))
    asked = texts_of(key)
    if not asked:
        return True
    if element is None:
        return True
    held = texts_of(element) or [""]
    return any(_equal(element["vr"], want, have) for want in asked for have in held)


def _asks(keys: Attributes) -> bool:
    """Say whether any key asks for a value."""
    return any(
        _asks(_only_item(key)) if key["vr"] == "SQ" else bool(texts_of(key))
        for tag, key in keys.items()
        if tag != CHARACTER_SET
    )


def _only_item(key: Mapping[str, Any]) -> Attributes:
    values = key.get("Value") or ()
    first = values[0] if values else {}
    return first if isinstance(first, dict) else {}


def _equal(vr: str, want: str, have: str) -> bool:
    if want == "*":
        return True
    if vr == "PN":
        return _same_name(want, have)
    if vr == "DA":
        low, high = date_range(want)
        return bool(have) and low <= have <= high
    if vr == "TM":
        low, high = time_range(want)
        return bool(have) and low <= _padded(have, "0") <= high
    if vr in _WILD and ("*" in want or "?" in want):
        return wildcard(want, have)
    if vr in ("DS", "FD", "FL", "IS", "US"):
        return _number(want) == _number(have)
    return want == have


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _same_name(want: str, have: str) -> bool:
    """Compare names without regard to case and accents; a key of one group may match any (PS3.5 6.2.1.2)."""
    asked = [archive.normalise_name(group) for group in want.split("=")]
    held = [archive.normalise_name(group) for group in have.split("=")]
    held += [""] * (len(asked) - len(held))
    if len(asked) == 1:
        return any(_same_group(asked[0], group) for group in held if group)
    return all(_same_group(group, held[place]) for place, group in enumerate(asked) if group)


def _same_group(want: str, have: str) -> bool:
    if want.endswith(" *"):  # ``Doe^*`` is anybody called Doe, also without a given name
        return have == want[:-2] or wildcard(want, have)
    return wildcard(want, have)


def _is_range(asked: list[str]) -> bool:
    return len(asked) == 1 and "-" in asked[0]


def _within_moments(keys: Attributes, item: Attributes, date: str, time: str) -> bool:
    """Compare date and time as one moment: from the first time of the first day to the last of the last."""
    days, hours = date_range(texts_of(keys[date])[0]), time_range(texts_of(keys[time])[0])
    day, hour = texts_of(item.get(date)), texts_of(item.get(time))
    if not day or not hour:
        return False
    return days[0] + hours[0] <= day[0] + _padded(hour[0], "0") <= days[1] + hours[1]


def _padded(text: str, filler: str) -> str:
    """Return HHMMSS and microseconds as twelve digits; ``9`` as filler gives the last moment meant."""
    digits = text.replace(":", "").replace(".", "")[:12]
    rest = "000000000000" if filler == "0" else "235959999999"
    return digits + rest[len(digits) :]
