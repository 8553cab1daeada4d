"""Programs that the tests here start, importable by their children."""

import sys
from pathlib import Path

import pytest
import structlog

from sightline.runtime import http, jobs, logs

PROGRAMS = Path(__file__).parent / "programs"
collect_ignore = ["programs"]  # they are no tests; imported a second time they would name their jobs twice
if str(PROGRAMS) not in sys.path:
    sys.path.insert(0, str(PROGRAMS))


@pytest.fixture
def log_as_served(monkeypatch):
    """A function that sets up logs as a server has them; call it in the test: it takes the standard error."""

    def log_as_served():
        logs.configure("text")
        for module in (http, jobs):  # loggers used before would keep their old way
            monkeypatch.setattr(module, "log", structlog.get_logger(module.__name__))

    yield log_as_served
    structlog.reset_defaults()
