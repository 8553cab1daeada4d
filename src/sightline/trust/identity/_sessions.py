"""Logging in and out, and telling who a session or token belongs to.

These use cases open their own transactions: a refused login is audited although it raises, and no write
lock is held while a password is hashed.
"""

from datetime import datetime, timedelta

from sightline.kernel import clock
from sightline.runtime.db import Database, Db
from sightline.trust import audit
from sightline.trust.access import NOBODY, Person
from sightline.trust.identity import _attempts as attempts
from sightline.trust.identity import _store as store
from sightline.trust.identity._model import (
    MAX_PASSWORD,
    Account,
    NotAUsername,
    NotLoggedIn,
    Rules,
    SessionEnded,
    SetupLinkNotValid,
    TokenNotValid,
    WrongPassword,
    parse_username,
)
from sightline.trust.identity._people import put_password
from sightline.trust.identity._secrets import check_against, digest, hash_password, is_outdated, new_secret

SEEN_EVERY = timedelta(minutes=1)
DEFAULT = Rules()
UNKNOWN = "unknown"

audit.declare("session.open", "A person logged in")
audit.declare("session.close", "A person logged out")
audit.declare("session.refuse", "A login was refused: unknown name, wrong password or disabled")


def log_in(
    database: Database, username: str, password: str, address: str, rules: Rules = DEFAULT
) -> tuple[str, Person]:
    """Open a session and return its secret and whose it is.

    Raises
    ------
    WrongPassword
        If the name is not known, the password is wrong or the person is disabled: in the same words and
        the same time.
    TooManyAttempts
        If this name failed too often from this address, or the address with too many names.
    """
    known = _username_or_none(username)
    key = known or digest(username)
    attempts.begin(key, address, rules)
    with database.reading() as db:
        found = store.find_password_hash(db, known) if known else None
    account, kept = found or (None, None)
    right = check_against(password, kept) if len(password) <= MAX_PASSWORD else check_against("", None)
    if account is None or kept is None or not right or not account.active:
        attempts.fail(address, rules)
        _record_refusal(database, account, address)
        raise WrongPassword("Unknown name or wrong password.")
    renewed = hash_password(password) if is_outdated(kept) else None
    with database.transaction() as db:
        if store.find_password_hash(db, account.username) != found:
            raise WrongPassword("Unknown name or wrong password.")  # changed while we hashed
        if renewed is not None:
            store.change_person(db, account.id, password_hash=renewed)
        secret = _open_session(db, account, address, rules)
    attempts.succeed(key, address, rules)
    return secret, account.person()


def set_up(
    database: Database, link: str, password: str, address: str, rules: Rules = DEFAULT
) -> tuple[str, Person]:
    """Choose a password through a one-time link and log in; a password that is refused leaves the link."""
    with database.transaction() as db:
        person = store.take_setup_link(db, digest(link), clock.now())
        account = store.find_account(db, person=person) if person else None
        if account is None or not account.active:
            raise SetupLinkNotValid("The link was used or has expired; ask an administrator for a new one.")
        put_password(db, account, password, by=account.person())
        return _open_session(db, account, address, rules), account.person()


def change_password(
    database: Database, caller: Person, current: str, new: str, address: str, rules: Rules = DEFAULT
) -> str:
    """Give the caller a new password, end all their sessions and return the secret of a new one."""
    log_in(database, caller.username, current, address, rules)
    with database.transaction() as db:
        account = store.find_account(db, person=caller.id)
        if account is None:
            raise NotLoggedIn("You are no longer known here; log in.")
        put_password(db, account, new, by=caller)
        return _open_session(db, account, address, rules)


def log_out(database: Database, session: str) -> None:
    """End a session; one that has ended already changes nothing."""
    with database.transaction() as db:
        person = store.end_session(db, digest(session))
        account = store.find_account(db, person=person) if person else None
        if account is not None:
            audit.record(db, "session.close", by=account.person(), on=account.id)


def person_of_session(
    database: Database, session: str, rules: Rules = DEFAULT, *, now: datetime | None = None
) -> Person:
    """Return whose session it is and remember that it was used, to the minute."""
    moment = now or clock.now()
    hashed = digest(session)
    with database.reading() as db:
        found = store.find_session(db, hashed, now=moment)
    if found is None or found[1] + rules.session_idle <= moment:
        raise SessionEnded("The session has ended; log in again.")
    account, seen_at = found
    if moment - seen_at >= SEEN_EVERY:
        with database.transaction() as db:
            store.touch_session(db, hashed, moment)
    return account.person()


def person_of_token(database: Database, token: str, *, now: datetime | None = None) -> Person:
    """Return who a bearer token acts for, narrowed to its scopes."""
    with database.reading() as db:
        found = store.find_token_owner(db, digest(token), now=now or clock.now())
    if found is None:
        raise TokenNotValid("The token is not known, has expired or was revoked; make a new one.")
    account, scopes = found
    return account.person(scopes)


def _open_session(db: Db, account: Account, address: str, rules: Rules) -> str:
    secret = new_secret()
    now = clock.now()
    store.add_session(db, digest(secret), account.id, now=now, expires_at=now + rules.session_max)
    audit.record(db, "session.open", by=account.person(), on=account.id, address=address)
    return secret


def _record_refusal(database: Database, account: Account | None, address: str) -> None:
    """Put a refused login in the trail; the name as typed is not kept, because it may be a password."""
    with database.transaction() as db:
        on = account.id if account is not None else UNKNOWN
        audit.record(db, "session.refuse", by=NOBODY, on=on, address=address)


def _username_or_none(text: str) -> str | None:
    try:
        return parse_username(text)
    except NotAUsername:
        return None
