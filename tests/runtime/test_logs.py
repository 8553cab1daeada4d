"""Logs: one line an event, and no patient in it."""

import json
import logging
import sys

import pytest
import structlog

from sightline.runtime import logs


@pytest.fixture
def logger():
    """A logger of a process that was set up just now: it writes to the standard error of the test."""

    def logger(log_format):
        logs.configure(log_format)
        return structlog.get_logger("test")

    yield logger
    structlog.reset_defaults()


formats = pytest.mark.parametrize("log_format", ["text", "json"])


@pytest.mark.parametrize("key", sorted(logs.PATIENT_KEYS))
@formats
def test_what_identifies_a_patient_is_withheld(logger, capfd, log_format, key):
    logger(log_format).info("stored", **{key: "Müller^Jörg", "study": "1.2.3"})

    line = capfd.readouterr().err
    assert "Müller" not in line
    assert "[withheld]" in line
    assert "1.2.3" in line


@formats
def test_an_error_is_told_by_kind_and_place_never_by_its_words(logger, capfd, log_format):
    log = logger(log_format)

    def read_name():
        raise ValueError("Müller^Jörg")

    try:
        try:
            read_name()
        except ValueError as cause:
            raise RuntimeError("of Müller^Jörg") from cause
    except RuntimeError as error:
        log.error("request failed", exc_info=error)

    line = capfd.readouterr().err
    assert "RuntimeError at test_logs.py:" in line
    assert "ValueError at test_logs.py:" in line
    assert "read_name" in line
    assert "Müller" not in line


@pytest.mark.parametrize("given", [True, "tuple"])
def test_the_error_at_hand_is_told_however_it_is_given(logger, capfd, given):
    log = logger("text")

    try:
        raise KeyError("4711")
    except KeyError:
        log.error("request failed", exc_info=sys.exc_info() if given == "tuple" else True)

    line = capfd.readouterr().err
    assert "KeyError at test_logs.py:" in line
    assert "4711" not in line


def test_errors_that_cause_each_other_in_a_circle_end(logger, capfd):
    one, other = ValueError(), KeyError()
    one.__cause__, other.__cause__ = other, one

    logger("json").error("broken", exc_info=one)

    assert json.loads(capfd.readouterr().err)["broke_at"] == "ValueError <- KeyError"


def test_each_json_line_says_when_and_how_grave(logger, capfd):
    logger("json").warning("store is filling", free_mib=12)

    line = json.loads(capfd.readouterr().err)
    assert (line["event"], line["level"], line["free_mib"]) == ("store is filling", "warning", 12)
    assert line["timestamp"].endswith("Z")


def test_libraries_that_quote_attribute_values_are_silent(logger, capfd):
    logger("text")
    for name in ("pydicom", "pynetdicom", "pynetdicom.acse", "weasyprint", "fontTools", "highdicom"):
        logging.getLogger(name).error("value 'Müller^Jörg' is not valid")

    assert "Müller" not in capfd.readouterr().err


def test_a_span_costs_nothing_without_a_tracer_and_lets_errors_pass():
    with pytest.raises(LookupError), logs.span("align", study="1.2.3"):
        raise LookupError
