"""Logging in and out."""

import time
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import text

from sightline.kernel import clock
from sightline.kernel.errors import Forbidden, Unauthenticated
from sightline.trust import audit, identity
from sightline.trust.identity import _secrets

from .conftest import OPERATOR, PASSWORD

HERE = "198.51.100.7"


def acts(database) -> list[str]:
    with database.reading() as db:
        return [entry.act for entry in reversed(audit.trail(db))]


def disable(database, username: str) -> None:
    with database.transaction() as db:
        db.execute(text("update people set active = false where username = :u"), {"u": username})


def test_a_person_logs_in_and_the_session_is_theirs(database, ada):
    session, person = identity.log_in(database, "ada", PASSWORD, HERE)

    assert identity.person_of_session(database, session) == person == ada.person()
    assert (person.username, person.roles, person.site) == ("ada", frozenset({"radiologist"}), "main")
    assert acts(database)[-1] == "session.open"


def test_a_user_name_is_the_same_in_any_case(database, ada):
    assert identity.log_in(database, " ADA ", PASSWORD, HERE)[1].username == "ada"


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("ada", "wrong password"),
        ("ada", PASSWORD.upper()),
        ("ada", PASSWORD + " "),
        ("ada", ""),
        ("eve", PASSWORD),
        ("", ""),
        ("ada' or '1'='1", PASSWORD),
        ("\x00", PASSWORD),
        ("ada", "x" * 5000),
    ],
)
def test_a_refused_login_says_the_same_whatever_was_wrong_and_is_audited(database, ada, username, password):
    with pytest.raises(Unauthenticated) as refused:
        identity.log_in(database, username, password, HERE)

    assert str(refused.value) == "Unknown name or wrong password."
    assert refused.value.facts == {}
    assert acts(database)[-1] == "session.refuse"
    with database.reading() as db:
        assert db.scalar(text("select count(*) from sessions")) == 0


def test_what_was_typed_as_a_name_is_not_kept(database, ada):
    with pytest.raises(identity.WrongPassword):
        identity.log_in(database, "my-secret-password", "x", HERE)

    with database.reading() as db:
        assert "my-secret-password" not in str(audit.trail(db))


def test_an_unknown_name_takes_as_long_as_a_wrong_password(sqlite, monkeypatch):
    monkeypatch.setattr(_secrets, "_hasher", PasswordHasher())
    _secrets._nobodys_hash.cache_clear()
    with sqlite.transaction() as db:
        identity.create_user(db, "ada", "Ada", frozenset({"radiologist"}), PASSWORD, by=OPERATOR)

    def seconds(username: str) -> float:
        """Processor time, which does not depend on what else the machine does."""
        taken = []
        for _ in range(2):
            started = time.process_time()
            with pytest.raises(identity.WrongPassword):
                identity.log_in(sqlite, username, "wrong password", HERE)
            taken.append(time.process_time() - started)
        return min(taken)

    _secrets._nobodys_hash()
    assert seconds("nobody") == pytest.approx(seconds("ada"), rel=0.3)


def test_the_password_hash_is_argon2id_of_64_mib():
    kept = PasswordHasher().hash("x")

    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_of_password_session_and_token_only_hashes_are_kept(database, ada):
    session, _ = identity.log_in(database, "ada", PASSWORD, HERE)
    with database.transaction() as db:
        token = identity.create_token(db, "ada", by=OPERATOR)
        link = identity.create_setup_link(db, "ada", by=OPERATOR)

    with database.reading() as db:
        for table in ("people", "sessions", "tokens", "setup_links", "audit"):
            rows = str(db.execute(text(f"select * from {table}")).all())
            assert not any(secret in rows for secret in (PASSWORD, session, token, link))


def test_every_login_is_a_new_session_of_256_bits(database, ada):
    secrets = {identity.log_in(database, "ada", PASSWORD, HERE)[0] for _ in range(5)}

    assert len(secrets) == 5
    assert all(len(secret) == 43 for secret in secrets)


def test_after_logging_out_the_session_is_over(database, ada):
    session, _ = identity.log_in(database, "ada", PASSWORD, HERE)
    identity.log_out(database, session)

    with pytest.raises(identity.SessionEnded):
        identity.person_of_session(database, session)
    assert acts(database)[-1] == "session.close"


def test_logging_out_twice_or_with_nonsense_changes_nothing(database, ada):
    identity.log_out(database, "nonsense")

    assert "session.close" not in acts(database)


def test_a_session_that_nobody_uses_ends(database, ada):
    session, _ = identity.log_in(database, "ada", PASSWORD, HERE)
    now = clock.now()

    with pytest.raises(identity.SessionEnded):
        identity.person_of_session(database, session, now=now + timedelta(minutes=61))
    assert identity.person_of_session(database, session, now=now + timedelta(minutes=59)).username == "ada"


def test_a_session_in_use_lives_on_but_not_for_ever(database, ada):
    session, _ = identity.log_in(database, "ada", PASSWORD, HERE)
    now = clock.now()
    for minutes in range(30, 12 * 60, 30):
        identity.person_of_session(database, session, now=now + timedelta(minutes=minutes))

    with pytest.raises(identity.SessionEnded):
        identity.person_of_session(database, session, now=now + timedelta(hours=12, seconds=1))


def test_use_is_written_at_most_once_a_minute(database, ada):
    session, _ = identity.log_in(database, "ada", PASSWORD, HERE)
    now = clock.now()

    def seen_at() -> object:
        with database.reading() as db:
            return db.scalar(text("select seen_at from sessions"))

    first = seen_at()
    identity.person_of_session(database, session, now=now + timedelta(seconds=50))
    assert seen_at() == first
    identity.person_of_session(database, session, now=now + timedelta(seconds=70))
    assert seen_at() != first


def test_a_disabled_person_is_out_at_once(database, ada):
    session, _ = identity.log_in(database, "ada", PASSWORD, HERE)
    disable(database, "ada")

    with pytest.raises(identity.SessionEnded):
        identity.person_of_session(database, session)
    with pytest.raises(identity.WrongPassword):
        identity.log_in(database, "ada", PASSWORD, HERE)


def test_other_roles_count_from_the_next_request_on(database, ada):
    session, _ = identity.log_in(database, "ada", PASSWORD, HERE)
    with database.transaction() as db:
        identity.change_roles(db, "ada", frozenset({"referrer"}), by=OPERATOR)

    assert identity.person_of_session(database, session).roles == frozenset({"referrer"})


def test_a_person_without_a_password_cannot_log_in(database):
    with database.transaction() as db:
        identity.create_user(db, "ben", "Ben", frozenset({"referrer"}), by=OPERATOR)

    for password in ("", "None", PASSWORD):
        with pytest.raises(identity.WrongPassword):
            identity.log_in(database, "ben", password, HERE)


def test_after_ten_wrong_passwords_even_the_right_one_has_to_wait(database, ada):
    for _ in range(10):
        with pytest.raises(identity.WrongPassword):
            identity.log_in(database, "ada", "wrong password", HERE)

    with pytest.raises(identity.TooManyAttempts, match="wait 5 minutes") as refused:
        identity.log_in(database, "ada", PASSWORD, HERE)
    assert isinstance(refused.value, Forbidden)
    assert refused.value.status == 429


def test_nobody_locks_another_out_from_elsewhere(database, ada):
    for _ in range(10):
        with pytest.raises(identity.WrongPassword):
            identity.log_in(database, "ada", "wrong password", "203.0.113.9")

    assert identity.log_in(database, "ada", PASSWORD, HERE)[1].username == "ada"


def test_one_address_cannot_try_one_password_on_every_name(database, ada):
    for number in range(100):
        with pytest.raises(identity.WrongPassword):
            identity.log_in(database, f"user{number}", "Summer2026!", HERE)

    with pytest.raises(identity.TooManyAttempts):
        identity.log_in(database, "user100", "Summer2026!", HERE)


def test_logging_in_forgets_the_wrong_passwords(database, ada):
    for _ in range(3):
        for _ in range(9):
            with pytest.raises(identity.WrongPassword):
                identity.log_in(database, "ada", "wrong password", HERE)
        identity.log_in(database, "ada", PASSWORD, HERE)


def test_a_hash_made_with_weaker_parameters_is_renewed_at_login(database, ada, monkeypatch):
    stronger = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)
    monkeypatch.setattr(_secrets, "_hasher", stronger)
    identity.log_in(database, "ada", PASSWORD, HERE)

    with database.reading() as db:
        assert "m=16,t=2" in db.scalar(text("select password_hash from people where username = 'ada'"))
    assert identity.log_in(database, "ada", PASSWORD, HERE)[1].username == "ada"


def test_sessions_that_have_ended_are_swept_at_the_next_login(database, ada):
    identity.log_in(database, "ada", PASSWORD, HERE)
    with database.transaction() as db:
        db.execute(text("update sessions set expires_at = '2020-01-01 00:00:00.000000'"))
    identity.log_in(database, "ada", PASSWORD, HERE)

    with database.reading() as db:
        assert db.scalar(text("select count(*) from sessions")) == 1


def test_a_person_changes_their_password_and_their_other_sessions_end(database, ada):
    other, _ = identity.log_in(database, "ada", PASSWORD, HERE)
    _, person = identity.log_in(database, "ada", PASSWORD, HERE)

    session = identity.change_password(database, person, PASSWORD, "fünf laute Pferde", HERE)

    assert identity.person_of_session(database, session) == person
    with pytest.raises(identity.SessionEnded):
        identity.person_of_session(database, other)
    with pytest.raises(identity.WrongPassword):
        identity.log_in(database, "ada", PASSWORD, HERE)
    assert identity.log_in(database, "ada", "fünf laute Pferde", HERE)[1] == person


def test_a_password_is_not_changed_without_the_one_so_far(database, ada):
    with pytest.raises(identity.WrongPassword):
        identity.change_password(database, ada.person(), "wrong password", "fünf laute Pferde", HERE)

    assert identity.log_in(database, "ada", PASSWORD, HERE)[1].username == "ada"
