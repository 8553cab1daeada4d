"""Settings: frozen, refused when unknown or bad, and silent about secrets."""

import os

import pytest
from pydantic import ValidationError

from sightline.app.settings import CLASSES, BadSetting, UnknownSetting, load_settings
from sightline.runtime.settings import PREFIX, DomainSettings, ServerSettings, prefixed


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    """No settings from the machine that the tests run on."""
    for name in list(os.environ):
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)


def test_defaults_are_a_complete_system():
    settings = load_settings()

    assert (settings.server.data, settings.server.http_port) == ("./sightline-data", 8600)
    assert (settings.server.host, settings.server.dicom_port) == ("127.0.0.1", 11112)
    assert settings.server.ae_title == "SIGHTLINE"
    assert settings.archive.settle_s == 60


def test_each_domain_reads_its_own_names(monkeypatch):
    monkeypatch.setenv("SIGHTLINE_HTTP_PORT", "9000")
    monkeypatch.setenv("SIGHTLINE_ARCHIVE_SETTLE_S", "5")

    settings = load_settings()

    assert (settings.server.http_port, settings.archive.settle_s) == (9000, 5)


def test_an_empty_value_is_no_value(monkeypatch):
    monkeypatch.setenv("SIGHTLINE_HTTP_PORT", "")

    assert load_settings().server.http_port == 8600


def test_an_unknown_name_is_refused_with_the_nearest_that_exists(monkeypatch):
    monkeypatch.setenv("SIGHTLINE_HTPP_PORT", "9000")

    with pytest.raises(UnknownSetting, match=r"SIGHTLINE_HTPP_PORT .* did you mean SIGHTLINE_HTTP_PORT\?"):
        load_settings()


def test_an_unknown_name_that_is_like_none_points_to_the_reference(monkeypatch):
    monkeypatch.setenv("SIGHTLINE_XYZZY", "secret value")

    with pytest.raises(UnknownSetting, match="see the settings reference") as caught:
        load_settings()

    assert "secret value" not in str(caught.value)


def test_the_name_of_the_test_data_is_reserved(monkeypatch):
    monkeypatch.setenv("SIGHTLINE_TEST_DATA", "/somewhere")

    assert load_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SIGHTLINE_HTTP_PORT", "pass-w0rd"),
        ("SIGHTLINE_HTTP_PORT", "65536"),
        ("SIGHTLINE_LOG_FORMAT", "pass-w0rd"),
        ("SIGHTLINE_AE_TITLE", "pass-w0rd-that-is-too-long"),
        ("SIGHTLINE_DICOM_OPEN", "pass-w0rd"),
        ("SIGHTLINE_ARCHIVE_SETTLE_S", "-1"),
    ],
)
def test_a_bad_value_is_refused_by_its_name_and_never_printed(monkeypatch, name, value):
    monkeypatch.setenv(name, value)

    with pytest.raises(BadSetting, match=name) as caught:
        load_settings()

    assert value not in str(caught.value)
    assert caught.value.__suppress_context__


def test_secrets_do_not_print(monkeypatch):
    monkeypatch.setenv("SIGHTLINE_ADMIN_PASSWORD", "four loud horses")

    settings = load_settings()

    assert "four loud horses" not in f"{settings} {settings!r} {settings.server.model_dump()}"
    assert settings.server.admin_password.get_secret_value() == "four loud horses"


def test_settings_do_not_change_after_the_start():
    settings = load_settings()

    with pytest.raises(ValidationError, match="frozen"):
        settings.server.http_port = 1
    with pytest.raises(AttributeError):
        settings.server = ServerSettings()


@pytest.mark.parametrize("settings", CLASSES)
def test_every_setting_is_described_and_no_two_share_a_name(settings):
    assert settings.__doc__
    assert all(field.description for field in settings.model_fields.values())
    others = {name for other in CLASSES if other is not settings for name in other.names()}
    assert not others & set(settings.names())


def test_names_are_the_prefix_of_the_domain_and_the_field():
    class RoomSettings(DomainSettings):
        """Rooms."""

        model_config = prefixed("room")
        beds: int = 2

    assert RoomSettings.names() == ("SIGHTLINE_ROOM_BEDS",)
