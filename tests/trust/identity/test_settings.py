"""Settings of identity."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from sightline.trust import identity
from sightline.trust.identity.settings import IdentitySettings


def test_the_defaults_are_the_default_rules():
    assert IdentitySettings().rules() == identity.Rules()


def test_settings_become_rules(monkeypatch):
    monkeypatch.setenv("SIGHTLINE_IDENTITY_SESSION_IDLE_MIN", "15")
    monkeypatch.setenv("SIGHTLINE_IDENTITY_LOGIN_ATTEMPTS", "3")

    rules = IdentitySettings().rules()

    assert (rules.session_idle, rules.attempts) == (timedelta(minutes=15), 3)


def test_every_setting_says_what_it_is_for():
    assert all(field.description for field in IdentitySettings.model_fields.values())


def test_a_session_that_never_begins_is_refused(monkeypatch):
    monkeypatch.setenv("SIGHTLINE_IDENTITY_SESSION_IDLE_MIN", "0")
    with pytest.raises(ValidationError):
        IdentitySettings()
