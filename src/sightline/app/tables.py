"""Every table of the house: importing this fills `runtime.db.metadata`."""

from sightline.care import hanging, reporting, response, worklist
from sightline.intelligence import routing
from sightline.record import annotations, archive, chart, findings, orders, timeline, upkeep
from sightline.runtime import events, jobs
from sightline.runtime.db import metadata
from sightline.trust import audit, identity
from sightline.wire import dimse, media, peers, priors, transfers

__all__ = [
    "annotations",
    "archive",
    "audit",
    "chart",
    "dimse",
    "events",
    "findings",
    "hanging",
    "identity",
    "jobs",
    "media",
    "metadata",
    "orders",
    "peers",
    "priors",
    "reporting",
    "response",
    "routing",
    "timeline",
    "transfers",
    "upkeep",
    "worklist",
]
