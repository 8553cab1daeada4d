"""HTTP face of identity: log in and out, who am I, and choosing a password."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from sightline.runtime.db import Database
from sightline.runtime.http import get_database, is_secure
from sightline.trust import access, identity
from sightline.trust.identity import Caller

router = APIRouter(tags=["identity"])
OpenDatabase = Annotated[Database, Depends(get_database)]


class Login(BaseModel):
    """A user name and password."""

    username: str = Field(max_length=256)
    password: str = Field(max_length=4096)


class Setup(BaseModel):
    """The secret of a one-time link and the password chosen with it."""

    token: str = Field(max_length=256)
    password: str = Field(max_length=4096)


class PasswordChange(BaseModel):
    """The password so far and the new one."""

    current: str = Field(max_length=4096)
    password: str = Field(max_length=4096)


class Me(BaseModel):
    """The person who is logged in, and what they may do."""

    id: str
    username: str
    name: str
    roles: list[str]
    actions: list[str]
    initials: str


@router.post("/session")
def log_in(body: Login, request: Request, response: Response, database: OpenDatabase) -> Me:
    """Log in with a user name and password; the session is a cookie that scripts cannot read."""
    identity.require_own_page(request)
    rules, address = identity.rules_of(request), identity.address_of(request)
    secret, person = identity.log_in(database, body.username, body.password, address, rules)
    _end_earlier_session(request, database)
    _set_cookie(request, response, secret)
    return _me(person)


@router.delete("/session", status_code=204)
def log_out(request: Request, response: Response, database: OpenDatabase) -> None:
    """Log out: the session ends and the browser forgets what it kept."""
    identity.require_own_page(request)
    _end_earlier_session(request, database)
    response.delete_cookie(identity.COOKIE, path="/", httponly=True, samesite="strict")
    response.headers["Clear-Site-Data"] = '"cache", "storage"'


@router.get("/me")
def get_me(caller: Caller) -> Me:
    """Tell who is logged in."""
    return _me(caller)


@router.put("/me/password", status_code=204)
def change_password(
    body: PasswordChange, request: Request, response: Response, caller: Caller, database: OpenDatabase
) -> None:
    """Change one's own password; every other session of the person ends."""
    rules, address = identity.rules_of(request), identity.address_of(request)
    secret = identity.change_password(database, caller, body.current, body.password, address, rules)
    _set_cookie(request, response, secret)


@router.post("/setup")
def set_up(body: Setup, request: Request, response: Response, database: OpenDatabase) -> Me:
    """Choose a password through a one-time link, and be logged in."""
    identity.require_own_page(request)
    rules, address = identity.rules_of(request), identity.address_of(request)
    secret, person = identity.set_up(database, body.token, body.password, address, rules)
    _set_cookie(request, response, secret)
    return _me(person)


def _end_earlier_session(request: Request, database: Database) -> None:
    earlier = request.cookies.get(identity.COOKIE)
    if earlier:
        identity.log_out(database, earlier)


def _set_cookie(request: Request, response: Response, secret: str) -> None:
    seconds = int(identity.rules_of(request).session_max.total_seconds())
    response.set_cookie(
        identity.COOKIE,
        secret,
        max_age=seconds,
        path="/",
        secure=is_secure(request.scope),
        httponly=True,
        samesite="strict",
    )


def _me(person: access.Person) -> Me:
    return Me(
        id=person.id,
        username=person.username,
        name=person.name,
        roles=sorted(person.roles),
        actions=list(access.actions_of(person)),
        initials=identity.initials(person.name),
    )
