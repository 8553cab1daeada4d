"""Who did what, when, for which purpose: written in the act's own transaction and never changed again.

Invariants: an act that is committed is in the trail, and one that is rolled back is not; numbers have no
gaps; every entry is a leaf of one Merkle tree (RFC 6962) whose root is signed once a minute, so a changed,
moved, missing or rewritten entry is found; entries hold opaque ids, UIDs, versions and numbers, never
patient data.
"""

from sightline.trust.audit._model import (
    FOLDER,
    WHOLE,
    Entry,
    Head,
    TrailBroken,
    UnknownAct,
    Verdict,
    acts,
    declare,
    describe,
    summarise,
)
from sightline.trust.audit._note import Checkpoint
from sightline.trust.audit._reads import ReadLog, record_read, use
from sightline.trust.audit._seal import Seal
from sightline.trust.audit._service import Deed, head, record, record_all, trail
from sightline.trust.audit._verify import verify, verify_and_remember

__all__ = [
    "FOLDER",
    "WHOLE",
    "Checkpoint",
    "Deed",
    "Entry",
    "Head",
    "ReadLog",
    "Seal",
    "TrailBroken",
    "UnknownAct",
    "Verdict",
    "acts",
    "declare",
    "describe",
    "head",
    "record",
    "record_all",
    "record_read",
    "summarise",
    "trail",
    "use",
    "verify",
    "verify_and_remember",
]
