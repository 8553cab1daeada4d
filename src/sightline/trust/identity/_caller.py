"""Who sends an HTTP request: by cookie, by bearer token, or by Basic with a token as password.

Requests by cookie that change something must come from our own page: the browser says so by
``Sec-Fetch-Site`` or ``Origin``, or the page says so by a header that no other site can send without being
asked first (OWASP ASVS 5.0 3.5.1).
"""

import base64
import binascii
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends
from starlette.requests import Request

from sightline.runtime.db import Database
from sightline.trust.access import Person
from sightline.trust.identity._model import COOKIE, CrossSiteRequest, NotLoggedIn, Rules, TokenNotValid
from sightline.trust.identity._sessions import person_of_session, person_of_token

PAGE_HEADER = "x-sightline"
SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


def caller_of(request: Request) -> Person:
    """Return who sends the request; it asks the database, so call it off the event loop.

    Raises
    ------
    NotLoggedIn, SessionEnded, TokenNotValid
        If the request says nothing of who sends it, or what it says is not valid (any more).
    CrossSiteRequest
        If it would change something, comes with a cookie, and is not known to come from our own page.
    """
    database: Database = request.app.state.database
    authorization = request.headers.get("authorization")
    if authorization:
        return _person_of_header(database, authorization)
    session = request.cookies.get(COOKIE)
    if not session:
        raise NotLoggedIn("Nobody is logged in; log in, or send a bearer token.")
    require_own_page(request)
    return person_of_session(database, session, rules_of(request))


Caller = Annotated[Person, Depends(caller_of)]


def require_own_page(request: Request) -> None:
    """Refuse a request that would change something and is not known to come from our own page."""
    if request.method in SAFE or request.headers.get(PAGE_HEADER) == "1":
        return
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        own = site in ("same-origin", "none")
    else:
        origin = request.headers.get("origin", "")
        own = bool(origin) and urlsplit(origin).netloc == request.headers.get("host")
    if not own:
        raise CrossSiteRequest("The request does not come from our own page; send the header X-Sightline: 1.")


def rules_of(request: Request) -> Rules:
    """Return the rules that the application set, else the defaults."""
    rules = getattr(request.app.state, "identity_rules", None)
    return rules if isinstance(rules, Rules) else Rules()


def address_of(request: Request) -> str:
    """Return the network address that a request comes from."""
    return request.client.host if request.client else "unknown"


def _person_of_header(database: Database, authorization: str) -> Person:
    scheme, _, credentials = authorization.partition(" ")
    if scheme.casefold() == "bearer":
        return person_of_token(database, credentials.strip())
    if scheme.casefold() == "basic":
        username, token = _parse_basic(credentials.strip())
        person = person_of_token(database, token)
        if username.casefold() == person.username:
            return person
    raise TokenNotValid(
        "Send Authorization: Bearer TOKEN, or Basic with your user name and a token as password."
    )


def _parse_basic(credentials: str) -> tuple[str, str]:
    """Return name and password of RFC 7617; empty when they cannot be read."""
    try:
        name, _, password = base64.b64decode(credentials, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return name, password
