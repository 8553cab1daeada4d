"""The tables of people, sessions and tokens, and all statements on them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Row,
    Select,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
    update,
)

from sightline.runtime.db import Db, Instant, Json, metadata
from sightline.trust.identity._model import Account, Token

people = Table(
    "people",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("username", String(64), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("password_hash", Text),
    Column("roles", Json, nullable=False),
    Column("site", String(64), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
)

# Secrets are kept as SHA-256: each has 256 random bits, so nothing slower is needed.
sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("person", ForeignKey("people.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("created_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("person", ForeignKey("people.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("scopes", Json),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("revoked_at", Instant),
)

setup_links = Table(
    "setup_links",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("person", ForeignKey("people.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
)


def add_account(db: Db, account: Account, password_hash: str | None) -> None:
    """Write a new person."""
    values = {
        "id": account.id,
        "username": account.username,
        "name": account.name,
        "password_hash": password_hash,
        "roles": sorted(account.roles),
        "site": account.site,
        "active": account.active,
        "created_at": account.created_at,
    }
    db.execute(insert(people).values(values))


def find_account(db: Db, *, username: str | None = None, person: str | None = None) -> Account | None:
    """Return the person with this user name or id."""
    wanted = people.c.username == username if person is None else people.c.id == person
    row = db.execute(select(people).where(wanted)).one_or_none()
    return None if row is None else _account(row)


def find_accounts(db: Db) -> list[Account]:
    """Return every person, by user name."""
    return [_account(row) for row in db.execute(select(people).order_by(people.c.username))]


def find_password_hash(db: Db, username: str) -> tuple[Account, str | None] | None:
    """Return the person with this user name and their password hash."""
    row = db.execute(select(people).where(people.c.username == username)).one_or_none()
    return None if row is None else (_account(row), row.password_hash)


def count_people(db: Db) -> int:
    """Return how many people there are."""
    return db.scalar(select(func.count()).select_from(people)) or 0


def change_person(db: Db, person: str, **values: Any) -> None:
    """Change columns of a person."""
    db.execute(update(people).where(people.c.id == person).values(values))


def add_session(db: Db, token_hash: str, person: str, *, now: datetime, expires_at: datetime) -> None:
    """Write a new session and sweep those that have ended."""
    db.execute(delete(sessions).where(sessions.c.expires_at < now))
    db.execute(
        insert(sessions).values(
            token_hash=token_hash, person=person, created_at=now, seen_at=now, expires_at=expires_at
        )
    )


def find_session(db: Db, token_hash: str, *, now: datetime) -> tuple[Account, datetime] | None:
    """Return who has this session, if both are live, and when it was last used."""
    wanted = (
        select(people, sessions.c.seen_at)
        .join(sessions, sessions.c.person == people.c.id)
        .where(sessions.c.token_hash == token_hash, sessions.c.expires_at > now, people.c.active)
    )
    row = db.execute(wanted).one_or_none()
    return None if row is None else (_account(row), row.seen_at)


def touch_session(db: Db, token_hash: str, now: datetime) -> None:
    """Remember that the session was used."""
    db.execute(update(sessions).where(sessions.c.token_hash == token_hash).values(seen_at=now))


def end_session(db: Db, token_hash: str) -> str | None:
    """End one session and return whose it was."""
    ended = delete(sessions).where(sessions.c.token_hash == token_hash).returning(sessions.c.person)
    return db.scalar(ended)


def end_sessions(db: Db, person: str) -> int:
    """End every session of a person and return how many there were."""
    return db.execute(delete(sessions).where(sessions.c.person == person)).rowcount


def add_token(db: Db, token: Token, token_hash: str, person: str) -> None:
    """Write a new token."""
    values = {
        "id": token.id,
        "token_hash": token_hash,
        "person": person,
        "scopes": None if token.scopes is None else sorted(token.scopes),
        "created_at": token.created_at,
        "expires_at": token.expires_at,
    }
    db.execute(insert(tokens).values(values))


def find_token_owner(
    db: Db, token_hash: str, *, now: datetime
) -> tuple[Account, frozenset[str] | None] | None:
    """Return who a live token acts for and how far it reaches."""
    wanted = (
        select(people, tokens.c.scopes)
        .join(tokens, tokens.c.person == people.c.id)
        .where(tokens.c.token_hash == token_hash, tokens.c.revoked_at.is_(None), people.c.active)
        .where(tokens.c.expires_at.is_(None) | (tokens.c.expires_at > now))
    )
    row = db.execute(wanted).one_or_none()
    return None if row is None else (_account(row), _scopes(row.scopes))


def find_tokens(db: Db, person: str | None = None) -> list[Token]:
    """Return the tokens of a person, or all, newest first."""
    wanted = _select_tokens()
    if person is not None:
        wanted = wanted.where(tokens.c.person == person)
    return [_token(row) for row in db.execute(wanted)]


def find_token(db: Db, token_id: str) -> tuple[Token, str] | None:
    """Return a token and the id of whose it is."""
    row = db.execute(_select_tokens().where(tokens.c.id == token_id)).one_or_none()
    return None if row is None else (_token(row), row.person)


def revoke_token(db: Db, token_id: str, now: datetime) -> None:
    """End a token."""
    db.execute(update(tokens).where(tokens.c.id == token_id).values(revoked_at=now))


def add_setup_link(db: Db, token_hash: str, person: str, *, now: datetime, expires_at: datetime) -> None:
    """Write a set-up link; earlier ones of the same person no longer work."""
    end_setup_links(db, person)
    db.execute(
        insert(setup_links).values(
            token_hash=token_hash, person=person, created_at=now, expires_at=expires_at
        )
    )


def take_setup_link(db: Db, token_hash: str, now: datetime) -> str | None:
    """Use up a set-up link and return whose it was; None when it is not live."""
    live = (setup_links.c.token_hash == token_hash) & (setup_links.c.expires_at > now)
    return db.scalar(delete(setup_links).where(live).returning(setup_links.c.person))


def end_setup_links(db: Db, person: str) -> None:
    """End the set-up links of a person."""
    db.execute(delete(setup_links).where(setup_links.c.person == person))


def _select_tokens() -> Select[Any]:
    joined = select(tokens, people.c.username).join(people, people.c.id == tokens.c.person)
    return joined.order_by(tokens.c.created_at.desc(), tokens.c.id)


def _account(row: Row[Any]) -> Account:
    return Account(
        id=row.id,
        username=row.username,
        name=row.name,
        roles=frozenset(row.roles),
        site=row.site,
        active=row.active,
        has_password=row.password_hash is not None,
        created_at=row.created_at,
    )


def _token(row: Row[Any]) -> Token:
    return Token(row.id, row.username, _scopes(row.scopes), row.created_at, row.expires_at, row.revoked_at)


def _scopes(names: Sequence[str] | None) -> frozenset[str] | None:
    return None if names is None else frozenset(names)
