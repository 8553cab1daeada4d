"""Exact comparison of measured numbers: 5.6 is 30 % less than 8, in whatever way a machine holds them."""

from decimal import Decimal

STEP = Decimal("0.000001")
HUNDRED = Decimal(100)


def exact(value: float) -> Decimal:
    """Return a measured number as the decimal that was meant, to the sixth digit after the point.

    Examples
    --------
    >>> exact(0.1 + 0.2)
    Decimal('0.300000')
    """
    return Decimal(repr(float(value))).quantize(STEP)


def reaches_rise(now: Decimal, before: Decimal, percent: Decimal) -> bool:
    """Return whether `now` lies at least `percent` above `before`; multiplied out, never divided.

    Examples
    --------
    >>> reaches_rise(exact(28.8), exact(24), Decimal(20))
    True
    """
    return now * HUNDRED >= before * (HUNDRED + percent)


def reaches_fall(now: Decimal, before: Decimal, percent: Decimal) -> bool:
    """Return whether `now` lies at least `percent` below `before`.

    Examples
    --------
    >>> reaches_fall(exact(5.6), exact(8.0), Decimal(30))
    True
    """
    return now * HUNDRED <= before * (HUNDRED - percent)


def percent_change(now: Decimal, before: Decimal) -> float | None:
    """Return the change in percent, None where `before` is zero."""
    return float((now - before) * HUNDRED / before) if before else None


def plain(value: Decimal) -> str:
    """Write a number without needless zeros.

    Examples
    --------
    >>> plain(exact(72)), plain(exact(24.9))
    ('72', '24.9')
    """
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def signed(value: Decimal) -> str:
    """Write a difference with its sign."""
    return plain(value) if value < 0 else f"+{plain(value)}"


def signed_percent(now: Decimal, before: Decimal) -> str:
    """Write a change in percent, to one digit; without a value to compare with, say so."""
    change = percent_change(now, before)
    return "no percentage (from 0)" if change is None else f"{change:+.1f} %"
