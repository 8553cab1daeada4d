"""Structured logs, traces and metrics; no patient data in any of them.

Names, identifiers and free text never go into a log line: a line holds opaque ids, UIDs, counts and times.
"""

import logging
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import structlog
from opentelemetry import trace
from prometheus_client import Counter, Histogram

PATIENT_KEYS = frozenset(
    {"patient_name", "patient_id", "name", "birth_date", "mrn", "accession", "address", "phone", "text"}
)

# How many frames of a broken call are told, innermost first.
FRAMES = 8

requests_total = Counter("sightline_http_requests_total", "HTTP requests", ("method", "route", "status"))
request_seconds = Histogram("sightline_http_request_seconds", "Time to answer, in s", ("method", "route"))
instances_total = Counter("sightline_instances_total", "Instances taken in", ("source", "outcome"))
jobs_total = Counter("sightline_jobs_total", "Jobs ended", ("job", "outcome"))
job_seconds = Histogram(
    "sightline_job_seconds",
    "Run time of jobs, in s",
    ("job",),
    buckets=(0.1, 1, 5, 15, 30, 60, 120, 300, 900),
)

_tracer = trace.get_tracer("sightline")


def configure(log_format: str = "text", level: int = logging.INFO) -> None:
    """Set up logging for the process: one line an event, to standard error."""
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _drop_patient_data,
            _tell_where_it_broke,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s", stream=sys.stderr)
    for noisy in ("pydicom", "pynetdicom", "weasyprint", "fontTools", "highdicom", "dbos"):
        # These put attribute values, and so patient data, into their lines, or say again what we log.
        logging.getLogger(noisy).setLevel(logging.CRITICAL)


def _drop_patient_data(_: Any, __: str, line: Any) -> Any:
    for key in PATIENT_KEYS & line.keys():
        line[key] = "[withheld]"
    return line


def _tell_where_it_broke(_: Any, __: str, line: Any) -> Any:
    """Replace the exception of a line by its types and places: its message may quote a patient's data."""
    error = line.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        line["broke_at"] = " <- ".join(_place(e) for e in _chain(error))
    return line


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    where = ", ".join(f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in reversed(frames))
    return f"{type(error).__name__} at {where}" if where else type(error).__name__


@contextmanager
def span(name: str, **attributes: str | int | float) -> Iterator[None]:
    """Trace a piece of work; without an OpenTelemetry SDK installed this costs next to nothing."""
    # An exception's message may quote patient data, so a span keeps only that it failed.
    with _tracer.start_as_current_span(name, attributes=attributes, record_exception=False):
        yield
