"""Counting wrong passwords, per name and address and per address, in this process.

Sources: OWASP ASVS 5.0 6.3.1 (brute force, credential stuffing). The address is part of the key, so that
nobody can lock another person out from elsewhere.
"""

from limits import RateLimitItem, RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from sightline.trust.identity._model import Rules, TooManyAttempts

# One address may stand for a whole hospital behind a proxy, so it may fail more often than one name there.
ADDRESS_FACTOR = 10
_storage = MemoryStorage()
_window = MovingWindowRateLimiter(_storage)


def begin(username: str, address: str, rules: Rules) -> None:
    """Count an attempt before it is checked, so that many at once are not more than the limit."""
    if not _window.test(_limit(rules, ADDRESS_FACTOR), "address", address):
        raise _refusal(rules)
    if not _window.hit(_limit(rules), "name", username, address):
        raise _refusal(rules)


def fail(address: str, rules: Rules) -> None:
    """Count a wrong password against the address."""
    _window.hit(_limit(rules, ADDRESS_FACTOR), "address", address)


def succeed(username: str, address: str, rules: Rules) -> None:
    """Forget the attempts of someone who is now logged in."""
    _window.clear(_limit(rules), "name", username, address)


def forget() -> None:
    """Forget every attempt."""
    _storage.reset()


def _limit(rules: Rules, factor: int = 1) -> RateLimitItem:
    return RateLimitItemPerSecond(rules.attempts * factor, int(rules.attempts_window.total_seconds()))


def _refusal(rules: Rules) -> TooManyAttempts:
    minutes = max(1, round(rules.attempts_window.total_seconds() / 60))
    return TooManyAttempts(f"Too many attempts to log in; wait {minutes} minutes and try again.")
