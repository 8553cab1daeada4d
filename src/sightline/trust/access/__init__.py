"""Who may do what, where and for which purpose: one question, answered by policies written as text.

Invariants: nothing is permitted that no policy permits, and a forbid wins; a role or action outside the
registry stops the program; the same caller asked the same question always gets the same answer.
"""

from sightline.trust.access._model import (
    EVERY_SITE,
    NOBODY,
    SYSTEM,
    Action,
    NotAllowed,
    Person,
    Policies,
    UnknownAction,
    covers,
    operator,
)
from sightline.trust.access._registry import ACTIONS, ROLES
from sightline.trust.access._service import actions_of, allowed, policies, require, roles_for

__all__ = [
    "ACTIONS",
    "EVERY_SITE",
    "NOBODY",
    "ROLES",
    "SYSTEM",
    "Action",
    "NotAllowed",
    "Person",
    "Policies",
    "UnknownAction",
    "actions_of",
    "allowed",
    "covers",
    "operator",
    "policies",
    "require",
    "roles_for",
]
