"""DICOM over its own protocol: peers verify, store, query and retrieve here, and we do so there.

Invariants: success is said only when the bytes are durable; the dataset is kept as it came over the wire;
from beyond this machine an unknown AE title may only echo, unless the operator opened the port; every wait
for a peer has a limit, and no object is held whole in memory.
"""

from sightline.wire.dimse._asking import NotAKey, echo_peer, find_at_peer
from sightline.wire.dimse._calling import NotSupported, PeerBroke, PeerRefused, PeerUnreachable
from sightline.wire.dimse._listener import DicomPortTaken, Listener
from sightline.wire.dimse._model import IMPLEMENTATION_UID, IMPLEMENTATION_VERSION, Service
from sightline.wire.dimse._requesting import (
    LEVELS,
    Caller,
    CommitResult,
    EchoResult,
    Level,
    PeerRefusedRequest,
    Progress,
    RetrieveResult,
    SendResult,
    Sent,
    commit,
    create_step,
    echo,
    find,
    find_worklist,
    get,
    move,
    notify,
    report_commitment,
    send,
    set_step,
)
from sightline.wire.dimse._seeking import ask_commitment, commitments_of, get_commitment
from sightline.wire.dimse._services import SERVICES
from sightline.wire.dimse._store import Commitment

__all__ = [
    "IMPLEMENTATION_UID",
    "IMPLEMENTATION_VERSION",
    "LEVELS",
    "SERVICES",
    "Caller",
    "CommitResult",
    "Commitment",
    "DicomPortTaken",
    "EchoResult",
    "Level",
    "Listener",
    "NotAKey",
    "NotSupported",
    "PeerBroke",
    "PeerRefused",
    "PeerRefusedRequest",
    "PeerUnreachable",
    "Progress",
    "RetrieveResult",
    "SendResult",
    "Sent",
    "Service",
    "ask_commitment",
    "commit",
    "commitments_of",
    "create_step",
    "echo",
    "echo_peer",
    "find",
    "find_at_peer",
    "find_worklist",
    "get",
    "get_commitment",
    "move",
    "notify",
    "report_commitment",
    "send",
    "set_step",
]
