"""Managing people and their tokens."""

import uuid
from datetime import timedelta

from sightline.kernel import clock
from sightline.runtime.db import Db
from sightline.trust import access, audit
from sightline.trust.access import SYSTEM, Person
from sightline.trust.identity import _store as store
from sightline.trust.identity._model import (
    TOKEN_PREFIX,
    Account,
    LastAdministrator,
    NoSuchPerson,
    NoSuchToken,
    Rules,
    Token,
    UsernameTaken,
    check_password,
    parse_roles,
    parse_scopes,
    parse_site,
    parse_username,
)
from sightline.trust.identity._secrets import digest, hash_password, new_secret

ADMINISTRATOR = "administrator"
FIRST_USERNAME = "admin"
FIRST_ROLES = frozenset({ADMINISTRATOR, "archivist", "radiologist"})
MAIN_SITE = "main"

audit.declare("user.create", "A person was added")
audit.declare("user.roles", "The roles of a person were changed")
audit.declare("user.disable", "A person was disabled; their sessions and tokens no longer work")
audit.declare("user.enable", "A disabled person was enabled again")
audit.declare("password.set", "The password of a person was set; their sessions were ended")
audit.declare("setup.create", "A one-time link to choose a password was made")
audit.declare("token.create", "A token for a program was made")
audit.declare("token.revoke", "A token was revoked")


def create_user(
    db: Db,
    username: str,
    name: str,
    roles: frozenset[str],
    password: str | None = None,
    *,
    by: Person,
    site: str = MAIN_SITE,
) -> Account:
    """Add a person; without a password they can log in only after a set-up link.

    Raises
    ------
    UsernameTaken, NotAUsername, UnknownRole, NotASite, WeakPassword
        If the person cannot be added as described; nothing is written.
    """
    access.require(by, "user.manage", site=parse_site(site))
    return _add_person(db, username, name, roles, password, by=by, site=site)


def get_user(db: Db, username: str) -> Account:
    """Return the person with this user name."""
    account = store.find_account(db, username=parse_username(username))
    if account is None:
        raise NoSuchPerson("Nobody has that user name; see sightline user list.")
    return account


def find_users(db: Db, *, by: Person) -> list[Account]:
    """Return the people of every site that `by` manages, by user name."""
    access.require(by, "user.manage")
    return [a for a in store.find_accounts(db) if access.allowed(by, "user.manage", site=a.site)]


def change_roles(db: Db, username: str, roles: frozenset[str], *, by: Person) -> Account:
    """Give a person other roles; what they may do changes with their next request."""
    account = _managed(db, username, by)
    if ADMINISTRATOR not in parse_roles(roles):
        _keep_an_administrator(db, account)
    store.change_person(db, account.id, roles=sorted(roles))
    audit.record(db, "user.roles", by=by, on=account.id, roles=sorted(roles), before=sorted(account.roles))
    return get_user(db, username)


def disable_user(db: Db, username: str, *, by: Person) -> None:
    """Keep a person out: at once, with all their sessions and tokens."""
    account = _managed(db, username, by)
    _keep_an_administrator(db, account)
    store.change_person(db, account.id, active=False)
    ended = store.end_sessions(db, account.id)
    audit.record(db, "user.disable", by=by, on=account.id, sessions=ended)


def enable_user(db: Db, username: str, *, by: Person) -> None:
    """Let a disabled person in again."""
    account = _managed(db, username, by)
    store.change_person(db, account.id, active=True)
    audit.record(db, "user.enable", by=by, on=account.id)


def set_password(db: Db, username: str, password: str, *, by: Person) -> None:
    """Set the password of another person and end their sessions and set-up links."""
    put_password(db, _managed(db, username, by), password, by=by)


def create_setup_link(db: Db, username: str, *, by: Person, rules: Rules | None = None) -> str:
    """Return the secret of a one-time link with which the person chooses a password."""
    return _add_setup_link(db, _managed(db, username, by), by=by, rules=rules or Rules())


def create_token(
    db: Db,
    username: str,
    *,
    by: Person,
    scopes: frozenset[str] | None = None,
    expires: timedelta | None = None,
) -> str:
    """Return a new bearer token that acts for a person; it is shown this once and kept only as a hash.

    Parameters
    ----------
    by : Person
        The person themselves, or someone who manages people.
    scopes : set of str, optional
        What the token may do (``archive.read``, ``archive.*``), never more than the person may; none means
        all that their roles permit. A token cannot make one that reaches further than itself.
    expires : timedelta, optional
        How long it works; none means until it is revoked.
    """
    account = get_user(db, username)
    access.require(by, "token.create", on=account.id, site=account.site)
    _require_self_or_manager(account, by)
    wanted = parse_scopes(scopes)
    if by.scopes is not None and not (wanted and all(access.covers(by.scopes, scope) for scope in wanted)):
        raise access.NotAllowed(
            "A token cannot make one that reaches further than itself; name fewer scopes."
        )
    now = clock.now()
    secret = TOKEN_PREFIX + new_secret()
    ends = None if expires is None else now + expires
    token = Token(uuid.uuid4().hex, account.username, wanted, now, ends, None)
    store.add_token(db, token, digest(secret), account.id)
    facts = {"token": token.id, "scopes": None if wanted is None else sorted(wanted)}
    audit.record(db, "token.create", by=by, on=account.id, **facts, expires=ends and ends.isoformat())
    return secret


def find_tokens(db: Db, username: str | None = None, *, by: Person) -> list[Token]:
    """Return the tokens of a person, or of everybody that `by` manages, newest first."""
    if username is None:
        known = {account.username for account in find_users(db, by=by)}
        return [token for token in store.find_tokens(db) if token.username in known]
    account = get_user(db, username)
    _require_self_or_manager(account, by)
    return store.find_tokens(db, account.id)


def revoke_token(db: Db, token_id: str, *, by: Person) -> None:
    """End a token at once."""
    token, owner = store.find_token(db, token_id) or (None, "")
    if token is None:
        raise NoSuchToken("No token has that id; see sightline token list.")
    _require_self_or_manager(get_user(db, token.username), by)
    if token.revoked_at is None:
        store.revoke_token(db, token_id, clock.now())
        audit.record(db, "token.revoke", by=by, on=owner, token=token_id)


def first_administrator(db: Db, password: str | None, roles: frozenset[str] = FIRST_ROLES) -> str | None:
    """Make sure that somebody can log in: add ``admin`` to an installation without people.

    They read studies as well, so that an installation of one person works at once; take the role away when
    there are others.

    Parameters
    ----------
    password : str, optional
        Their password; counts only until one has been set.

    Returns
    -------
    str or None
        The secret of a one-time set-up link when they have no password; earlier links no longer work.
    """
    if store.count_people(db) == 0:
        _add_person(db, FIRST_USERNAME, "Administrator", roles, password, by=SYSTEM, site=MAIN_SITE)
    account = store.find_account(db, username=FIRST_USERNAME)
    if account is None or account.has_password or not account.active:
        return None
    if password is not None:
        put_password(db, account, password, by=SYSTEM)
        return None
    return _add_setup_link(db, account, by=SYSTEM, rules=Rules())


def put_password(db: Db, account: Account, password: str, *, by: Person) -> None:
    """Keep a new password, whoever was found to be entitled; every session of the person ends."""
    check_password(password, account.username)
    store.change_person(db, account.id, password_hash=hash_password(password))
    store.end_setup_links(db, account.id)
    ended = store.end_sessions(db, account.id)
    audit.record(db, "password.set", by=by, on=account.id, sessions=ended)


def _add_person(
    db: Db, username: str, name: str, roles: frozenset[str], password: str | None, *, by: Person, site: str
) -> Account:
    username = parse_username(username)
    if store.find_account(db, username=username) is not None:
        raise UsernameTaken("Somebody has that user name already; choose another.")
    if password is not None:
        check_password(password, username)
    account = Account(
        id=uuid.uuid4().hex,
        username=username,
        name=" ".join(name.split()) or username,
        roles=parse_roles(roles),
        site=site,
        active=True,
        has_password=password is not None,
        created_at=clock.now(),
    )
    store.add_account(db, account, None if password is None else hash_password(password))
    audit.record(db, "user.create", by=by, on=account.id, roles=sorted(roles))
    return account


def _add_setup_link(db: Db, account: Account, *, by: Person, rules: Rules) -> str:
    secret = new_secret()
    now = clock.now()
    store.add_setup_link(db, digest(secret), account.id, now=now, expires_at=now + rules.setup_link_life)
    audit.record(db, "setup.create", by=by, on=account.id)
    return secret


def _managed(db: Db, username: str, by: Person) -> Account:
    """Return the person with this user name if `by` manages people at their site."""
    access.require(by, "user.manage")
    account = get_user(db, username)
    access.require(by, "user.manage", on=account.id, site=account.site)
    return account


def _require_self_or_manager(account: Account, by: Person) -> None:
    if by.id != account.id:
        access.require(by, "user.manage", on=account.id, site=account.site)


def _keep_an_administrator(db: Db, leaving: Account) -> None:
    others = [a for a in store.find_accounts(db) if a.active and a.id != leaving.id]
    if ADMINISTRATOR in leaving.roles and not any(ADMINISTRATOR in a.roles for a in others):
        raise LastAdministrator("Nobody else could manage people; make another administrator first.")
