"""People to log in with, hashed cheaply; one test proves the real cost."""

import pytest
from argon2 import PasswordHasher

from sightline.trust import access, identity
from sightline.trust.identity import _attempts, _secrets

PASSWORD = "vier ruhige Pferde"
OPERATOR = access.operator("tester")


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch):
    monkeypatch.setattr(_secrets, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    _secrets._nobodys_hash.cache_clear()
    _attempts.forget()
    yield
    _secrets._nobodys_hash.cache_clear()


@pytest.fixture
def ada(database):
    with database.transaction() as db:
        return identity.create_user(
            db, "ada", "Ada Lovelace", frozenset({"radiologist"}), PASSWORD, by=OPERATOR
        )


@pytest.fixture
def root(database):
    with database.transaction() as db:
        account = identity.create_user(
            db, "root.person", "Rut Root", frozenset({"administrator"}), PASSWORD, by=OPERATOR
        )
    return account.person()
