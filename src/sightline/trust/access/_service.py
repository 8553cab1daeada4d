"""The decision: Cedar over the policy file, remembered per kind of caller so that asking again is free."""

import hashlib
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

import cedarpy
import structlog

from sightline.trust.access._model import EVERY_SITE, NotAllowed, Person, Policies, UnknownAction, covers
from sightline.trust.access._registry import ACTIONS, OPERATOR, ROLES

CLINICAL = "clinical"
log = structlog.get_logger(__name__)


def require(person: Person, action: str, *, on: str | None = None, site: str | None = None) -> None:
    """Refuse unless `person` may do `action` at `site`.

    Parameters
    ----------
    person : Person
        Who asks.
    action : str
        A name of the registry, such as ``report.sign``.
    on : str, optional
        Opaque id or UID of what it is asked for; told in the refusal, never patient data.
    site : str, optional
        The site that holds it; none means the person's own.

    Raises
    ------
    NotAllowed
        If no policy permits it, or one forbids it.
    UnknownAction
        If the registry does not hold `action`.
    """
    if allowed(person, action, site=site):
        return
    log.warning("access refused", person=person.id, action=action, on=on)
    facts = {"action": action} | ({"on": on} if on else {})
    raise NotAllowed(_refusal(person, action), **facts)


def allowed(person: Person, action: str, *, site: str | None = None) -> bool:
    """Say whether `person` may do `action` at `site`, their own when none is given."""
    if action not in ACTIONS:
        raise UnknownAction(
            f"No action is called {action}; add it to the registry of sightline.trust.access."
        )
    where = person.site if site is None else site
    return _decide(person.roles, person.site, person.purpose, action, where, covers(person.scopes, action))


def actions_of(person: Person) -> tuple[str, ...]:
    """Return all that `person` may do at their own site, by name."""
    return tuple(name for name in sorted(ACTIONS) if allowed(person, name))


@cache
def roles_for(action: str) -> tuple[str, ...]:
    """Return the roles that permit `action`."""
    purpose = "treatment"
    return tuple(r for r in ROLES if _decide(frozenset({r}), EVERY_SITE, purpose, action, EVERY_SITE, True))


@cache
def policies() -> Policies:
    """Return the policies in force; one that does not fit the registry stops the start."""
    text = (files("sightline.trust.access") / "_policies" / "site.cedar").read_text(encoding="utf-8")
    found = cedarpy.validate_policies(text, schema())
    if not found.validation_passed:
        raise ValueError(f"The access policies do not fit the registry: {'; '.join(map(str, found.errors))}")
    return Policies(text, hashlib.sha256(text.encode()).hexdigest())


def schema() -> dict[str, Any]:
    """Return the Cedar schema of the registry: people in roles, sites, and every action."""
    applies = {
        "principalTypes": ["Person"],
        "resourceTypes": ["Site"],
        "context": {
            "type": "Record",
            "attributes": {"purpose": {"type": "String"}, "in_scope": {"type": "Boolean"}},
        },
    }
    site = {"type": "String"}
    actions: dict[str, Any] = {
        action.name: {"appliesTo": applies, "memberOf": [{"id": CLINICAL}] if action.clinical else []}
        for action in ACTIONS.values()
    }
    person = {"site": site, "every_site": {"type": "Boolean"}}
    entities = {
        "Person": {"memberOfTypes": ["Role"], "shape": {"type": "Record", "attributes": person}},
        "Role": {"memberOfTypes": []},
        "Site": {"memberOfTypes": [], "shape": {"type": "Record", "attributes": {"site": site}}},
    }
    return {"": {"entityTypes": entities, "actions": actions | {CLINICAL: {}}}}


@cache
def _policy_set() -> cedarpy.PolicySet:
    return cedarpy.PolicySet.from_str(policies().text)


@lru_cache(maxsize=4096)
def _decide(roles: frozenset[str], home: str, purpose: str, action: str, site: str, in_scope: bool) -> bool:
    """Ask Cedar once for each kind of caller; the person's id plays no part, so their entity needs none."""
    person = {"type": "Person", "id": "caller"}
    where = {"type": "Site", "id": site}
    what = {"type": "Action", "id": action}
    group = [{"type": "Action", "id": CLINICAL}] if ACTIONS[action].clinical else []
    entities: list[dict[str, Any]] = [
        {
            "uid": person,
            "attrs": {"site": home, "every_site": home == EVERY_SITE},
            "parents": [{"type": "Role", "id": role} for role in sorted(roles)],
        },
        {"uid": where, "attrs": {"site": site}, "parents": []},
        {"uid": what, "attrs": {}, "parents": group},
    ]
    request = {
        "principal": person,
        "action": what,
        "resource": where,
        "context": {"purpose": purpose, "in_scope": in_scope},
    }
    answer = cedarpy.is_authorized(request, _policy_set(), entities)
    if answer.diagnostics.errors:
        raise ValueError(
            f"The access policies cannot be evaluated for {action}: {answer.diagnostics.errors[0]}"
        )
    return bool(answer.allowed)


def _refusal(person: Person, action: str) -> str:
    what = f'"{ACTIONS[action].description}" ({action})'
    if not covers(person.scopes, action):
        return f"The token does not reach {what}; make one with that scope."
    permitting = roles_for(action)
    if OPERATOR not in person.roles and permitting and not person.roles.intersection(permitting):
        return f"Not permitted: {what} needs the role {' or '.join(permitting)}. Ask an administrator."
    return f"Not permitted: {what} for this site or purpose. Ask an administrator."
