"""Who may do what."""

import time
from itertools import product

import cedarpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sightline.kernel.errors import Forbidden
from sightline.trust import access
from sightline.trust.access import _service as service
from sightline.trust.access._registry import OPERATOR

CLINICAL = {name for name, action in access.ACTIONS.items() if action.clinical}


def someone(*roles: str, site: str = "north", purpose: str = "treatment", scopes=None) -> access.Person:
    return access.Person("p1", "Ada Lovelace", "ada", frozenset(roles), site, purpose, scopes)


# What each role may do: the whole table, so that a change of policy is a change here too.
TABLE = {
    "administrator": {
        "audit.read",
        "audit.verify",
        "hanging.edit",
        "hanging.manage",
        "hanging.read",
        "model.read",
        "peer.manage",
        "peer.read",
        "system.maintain",
        "system.read",
        "token.create",
        "user.manage",
    },
    "archivist": {
        "archive.correct",
        "archive.delete",
        "archive.export",
        "archive.hold",
        "archive.label",
        "archive.read",
        "archive.reject",
        "archive.store",
        "hanging.edit",
        "hanging.read",
        "order.edit",
        "order.read",
        "patient.read",
        "peer.manage",
        "peer.read",
        "system.maintain",
        "system.read",
        "token.create",
    },
    "radiologist": {
        "analysis.run",
        "archive.correct",
        "archive.export",
        "archive.label",
        "archive.read",
        "archive.reject",
        "archive.store",
        "chart.edit",
        "chart.read",
        "finding.decide",
        "finding.edit",
        "finding.mark",
        "finding.read",
        "hanging.edit",
        "hanging.read",
        "model.read",
        "order.edit",
        "order.read",
        "patient.read",
        "peer.read",
        "report.edit",
        "report.read",
        "report.sign",
        "response.edit",
        "system.read",
        "token.create",
        "worklist.claim",
        "worklist.read",
    },
    "technologist": {
        "analysis.run",
        "archive.correct",
        "archive.export",
        "archive.label",
        "archive.read",
        "archive.reject",
        "archive.store",
        "chart.edit",
        "chart.read",
        "finding.read",
        "hanging.edit",
        "hanging.read",
        "model.read",
        "order.edit",
        "order.read",
        "patient.read",
        "peer.read",
        "system.read",
        "token.create",
        "worklist.read",
    },
    "referrer": {
        "archive.read",
        "chart.read",
        "finding.read",
        "hanging.edit",
        "hanging.read",
        "patient.read",
        "report.read",
    },
    "researcher": {
        "model.read",
        "system.read",
    },
    "service": {
        "analysis.run",
        "archive.export",
        "archive.label",
        "archive.read",
        "archive.reject",
        "archive.store",
        "audit.verify",
        "finding.propose",
        "finding.read",
        "job.run",
        "model.read",
        "order.edit",
        "order.read",
        "patient.read",
        "peer.read",
        "report.edit",
        "report.read",
        "system.maintain",
        "system.read",
        "worklist.read",
    },
}


@pytest.mark.parametrize("role", access.ROLES)
def test_a_role_may_do_exactly_what_the_table_says(role):
    assert set(access.actions_of(someone(role))) == TABLE[role]


def test_roles_add_up():
    both = access.actions_of(someone("administrator", "radiologist"))

    assert set(both) == TABLE["administrator"] | TABLE["radiologist"]


def test_only_a_radiologist_signs_a_report():
    assert access.roles_for("report.sign") == ("radiologist",)


def test_nobody_may_do_anything():
    assert access.actions_of(access.NOBODY) == ()
    assert access.actions_of(someone()) == ()


def test_a_role_that_is_not_in_the_registry_gives_nothing():
    assert access.actions_of(someone("owner", "Administrator", "*")) == ()


def test_the_operator_may_do_everything_and_is_named_after_the_shell_user():
    operator = access.operator("ada")

    assert set(access.actions_of(operator)) == set(access.ACTIONS)
    assert operator.id == "operator:ada"


def test_no_person_can_be_given_the_role_of_the_operator():
    assert OPERATOR not in access.ROLES


def test_jobs_may_not_sign_decide_or_manage_people():
    for action in ("report.sign", "finding.decide", "user.manage", "archive.delete"):
        assert not access.allowed(access.SYSTEM, action)


@pytest.mark.parametrize(("role", "action"), list(product(access.ROLES, access.ACTIONS)))
def test_no_role_reaches_into_another_site(role, action):
    assert not access.allowed(someone(role, site="north"), action, site="south")


def test_the_service_and_the_operator_reach_every_site():
    assert access.allowed(access.SYSTEM, "archive.read", site="south")
    assert access.allowed(access.operator("ada"), "archive.read", site="south")


@pytest.mark.parametrize("action", sorted(CLINICAL))
def test_patient_data_are_not_for_research_or_for_no_purpose(action):
    everyone = tuple(access.ROLES)

    assert not access.allowed(someone(*everyone, purpose="research"), action)
    assert not access.allowed(someone(*everyone, purpose=""), action)


def test_a_scope_narrows_and_never_widens():
    narrow = someone("radiologist", scopes=frozenset({"archive.*", "user.manage"}))

    verbs = ("correct", "export", "label", "read", "reject", "store")
    assert set(access.actions_of(narrow)) == {f"archive.{verb}" for verb in verbs}


@settings(deadline=None, derandomize=True)
@given(
    roles=st.frozensets(st.sampled_from([*access.ROLES, OPERATOR])),
    scopes=st.frozensets(st.sampled_from(sorted(access.ACTIONS))),
    purpose=st.sampled_from(["treatment", "operations", "research", "none"]),
)
def test_a_token_may_never_do_more_than_its_owner(roles, scopes, purpose):
    owner = access.Person("p1", "A", "a", roles, "north", purpose)
    token = access.Person("p1", "A", "a", roles, "north", purpose, scopes)

    assert set(access.actions_of(token)) == set(access.actions_of(owner)) & scopes


def test_a_refusal_says_what_is_missing_and_to_what():
    with pytest.raises(access.NotAllowed, match="needs the role radiologist") as refused:
        access.require(someone("referrer"), "report.sign", on="1.2.3")

    assert isinstance(refused.value, Forbidden)
    assert refused.value.code == "not-allowed"
    assert refused.value.facts == {"action": "report.sign", "on": "1.2.3"}


def test_a_refusal_of_a_token_names_the_scope():
    with pytest.raises(access.NotAllowed, match="token does not reach"):
        access.require(someone("radiologist", scopes=frozenset({"archive.read"})), "report.sign")


def test_a_refusal_at_another_site_does_not_promise_a_role():
    with pytest.raises(access.NotAllowed, match="for this site or purpose"):
        access.require(someone("radiologist"), "report.sign", site="south")


def test_an_unknown_action_is_our_mistake_and_stops():
    with pytest.raises(access.UnknownAction, match=r"report\.burn"):
        access.require(access.operator("ada"), "report.burn")


def test_every_action_of_the_registry_is_permitted_to_someone_or_kept_for_the_operator():
    kept = {name for name in access.ACTIONS if not access.roles_for(name)}

    assert kept == set()


def test_the_policies_fit_the_registry_and_their_digest_names_the_version():
    policies = access.policies()

    assert len(policies.sha256) == 64
    assert '@id("radiologist")' in policies.text


def test_a_policy_on_an_action_that_does_not_exist_does_not_pass():
    wrong = 'permit (principal in Role::"radiologist", action == Action::"report.burn", resource);'

    assert not cedarpy.validate_policies(wrong, service.schema()).validation_passed


def test_every_policy_has_a_name():
    names = [line for line in access.policies().text.splitlines() if line.startswith("@id(")]
    rules = [line for line in access.policies().text.splitlines() if line.startswith(("permit", "forbid"))]

    assert len(names) == len(rules) == len(set(names))


def test_asking_again_costs_microseconds():
    radiologist = someone("radiologist")
    access.require(radiologist, "report.sign")
    started = time.perf_counter()
    for _ in range(1000):
        access.require(radiologist, "report.sign")

    assert (time.perf_counter() - started) / 1000 < 100e-6
