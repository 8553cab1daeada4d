"""Dates as DICOM writes them (DA, YYYYMMDD), for people and for FHIR."""

from datetime import date


def parse_date(text: str) -> date | None:
    """Return the date, or None when the text is empty or no date."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def iso_date(text: str) -> str:
    """Return YYYY-MM-DD, or an empty text.

    >>> iso_date("20260503")
    '2026-05-03'
    """
    day = parse_date(text)
    return day.isoformat() if day else ""


def long_date(text: str) -> str:
    """Return a date as a report writes it.

    >>> long_date("20260503")
    '3 May 2026'
    """
    day = parse_date(text)
    return f"{day.day} {day:%B %Y}" if day else "an unknown date"


def age_years(born: str, on: str) -> int | None:
    """Return the age in whole years on a date.

    >>> age_years("19650211", "20261124")
    61
    """
    birth, day = parse_date(born), parse_date(on)
    if not birth or not day or day < birth:
        return None
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))
