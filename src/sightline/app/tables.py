"""Every table of the house: importing this fills `runtime.db.metadata`."""

from sightline.care import reporting, worklist
from sightline.intelligence import routing
from sightline.record import archive, findings, timeline
from sightline.runtime import events, jobs
from sightline.runtime.db import metadata
from sightline.trust import audit, identity

__all__ = [
    "archive",
    "audit",
    "events",
    "findings",
    "identity",
    "jobs",
    "metadata",
    "reporting",
    "routing",
    "timeline",
    "worklist",
]
