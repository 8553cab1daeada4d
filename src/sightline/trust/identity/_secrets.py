"""Passwords by Argon2id, and the random secrets of sessions, tokens and links.

Sources: RFC 9106 4 (second recommended option: 64 MiB, three passes), OWASP ASVS 5.0 6.3.8 (no enumeration
of users by time) and 7.2.3 (sessions of at least 128 bits).
"""

import hashlib
import secrets
import threading
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SECRET_BYTES = 32
# Each hash takes 64 MiB; without a limit a burst of logins would take all memory.
_at_once = threading.BoundedSemaphore(2)
_hasher = PasswordHasher()


def hash_password(password: str) -> str:
    """Return the Argon2id hash to keep of a password."""
    with _at_once:
        return _hasher.hash(password)


def check_against(password: str, kept: str | None) -> bool:
    """Say whether `password` gives the hash that is kept; as slow when none is kept as when one is."""
    with _at_once:
        try:
            _hasher.verify(kept or _nobodys_hash(), password)
        except (VerificationError, InvalidHashError):
            return False
    return kept is not None


def is_outdated(kept: str) -> bool:
    """Say whether a hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(kept)


def new_secret() -> str:
    """Return a secret of 256 random bits, safe in headers and cookies."""
    return secrets.token_urlsafe(SECRET_BYTES)


def digest(secret: str) -> str:
    """Return what is kept of a secret: it cannot be turned back."""
    return hashlib.sha256(secret.encode()).hexdigest()


@cache
def _nobodys_hash() -> str:
    return _hasher.hash(secrets.token_urlsafe(SECRET_BYTES))
