"""The state machine of the upper layer, without a socket: events in, actions out.

The table is PS3.8 table 9-10, read by one loop. Whoever owns the connection tells what happened, does what
the action says, and never decides itself whether a PDU may come now.
"""

from typing import TypeAlias

from sightline.wire.dimse import _upper_pdus as pdus

State: TypeAlias = int
Event: TypeAlias = int

# Events of PS3.8 table 9-10, by what happened.
ASK, CONNECTED, AC, RJ, CONNECTION, RQ, ACCEPT, REJECT = 1, 2, 3, 4, 5, 6, 7, 8
SEND_DATA, DATA, ASK_RELEASE, RELEASE_RQ, RELEASE_RP, REPLY_RELEASE = 9, 10, 11, 12, 13, 14
SEND_ABORT, ABORT, CLOSED, EXPIRED, INVALID = 15, 16, 17, 18, 19

IDLE, AWAITING_RQ, DECIDING, CONNECTING, AWAITING_AC = 1, 2, 3, 4, 5
OPEN, AWAITING_RP, ASKED_TO_RELEASE, CLOSING = 6, 7, 8, 13

EVENT_OF_PDU: dict[int, Event] = {
    pdus.ASSOCIATE_RQ: RQ,
    pdus.ASSOCIATE_AC: AC,
    pdus.ASSOCIATE_RJ: RJ,
    pdus.P_DATA: DATA,
    pdus.RELEASE_RQ: RELEASE_RQ,
    pdus.RELEASE_RP: RELEASE_RP,
    pdus.ABORT: ABORT,
}

# Where each action leads; AE-6 and AR-8 lead to one of two, which `Machine` decides.
NEXT: dict[str, State] = {
    "AE-1": 4, "AE-2": 5, "AE-3": 6, "AE-4": 1, "AE-5": 2, "AE-6": 3, "AE-7": 6, "AE-8": 13,
    "DT-1": 6, "DT-2": 6,
    "AR-1": 7, "AR-2": 8, "AR-3": 1, "AR-4": 13, "AR-5": 1, "AR-6": 7, "AR-7": 8, "AR-8": 10,
    "AR-9": 11, "AR-10": 12,
    "AA-1": 13, "AA-2": 1, "AA-3": 1, "AA-4": 1, "AA-5": 1, "AA-6": 13, "AA-7": 13, "AA-8": 13,
}  # fmt: skip


def _row(text: str) -> dict[State, str]:
    """Read one row of the table: ``states action`` pairs; ``5-8`` are states 5 to 8."""
    row = {}
    for pair in text.split(";"):
        states, action = pair.split()
        for part in states.split(","):
            first, _, last = part.partition("-")
            row.update(dict.fromkeys(range(int(first), int(last or first) + 1), action))
    return row


TABLE: dict[Event, dict[State, str]] = {
    ASK: _row("1 AE-1"),
    CONNECTED: _row("4 AE-2"),
    AC: _row("2 AA-1; 3,6-12 AA-8; 5 AE-3; 13 AA-6"),
    RJ: _row("2 AA-1; 3,6-12 AA-8; 5 AE-4; 13 AA-6"),
    CONNECTION: _row("1 AE-5"),
    RQ: _row("2 AE-6; 3,5-12 AA-8; 13 AA-7"),
    ACCEPT: _row("3 AE-7"),
    REJECT: _row("3 AE-8"),
    SEND_DATA: _row("6 DT-1; 8 AR-7"),
    DATA: _row("2 AA-1; 3,5,8-12 AA-8; 6 DT-2; 7 AR-6; 13 AA-6"),
    ASK_RELEASE: _row("6 AR-1"),
    RELEASE_RQ: _row("2 AA-1; 3,5,8-12 AA-8; 6 AR-2; 7 AR-8; 13 AA-6"),
    RELEASE_RP: _row("2 AA-1; 3,5,6,8,9,12 AA-8; 7,11 AR-3; 10 AR-10; 13 AA-6"),
    REPLY_RELEASE: _row("8,12 AR-4; 9 AR-9"),
    SEND_ABORT: _row("3,5-12 AA-1; 4 AA-2"),
    ABORT: _row("2,13 AA-2; 3,5-12 AA-3"),
    CLOSED: _row("2 AA-5; 3-12 AA-4; 13 AR-5"),
    EXPIRED: _row("2,13 AA-2"),
    INVALID: _row("2 AA-1; 3,5-12 AA-8; 13 AA-7"),
}


class NotNow(Exception):
    """Our own side wanted what the state does not allow: a mistake of ours, not of the peer."""


class Machine:
    """One association's state.

    >>> machine = Machine()
    >>> [machine.on(event) for event in (CONNECTION, RQ, ACCEPT, DATA, RELEASE_RQ, REPLY_RELEASE, CLOSED)]
    ['AE-5', 'AE-6', 'AE-7', 'DT-2', 'AR-2', 'AR-4', 'AR-5']
    """

    __slots__ = ("requestor", "state")

    def __init__(self, *, requestor: bool = False) -> None:
        self.requestor = requestor
        self.state: State = IDLE

    def on(self, event: Event) -> str:
        """Go on, and return the action to do (PS3.8 9.2.2)."""
        action = TABLE[event].get(self.state)
        if action is None:
            raise NotNow(f"Event {event} cannot happen in state {self.state}.")
        self.state = NEXT[action]
        if action == "AR-8" and self.requestor:
            self.state = 9
        return action

    def on_pdu(self, kind: int) -> str:
        """Go on after a PDU of this type has come; one that the standard does not know is invalid."""
        return self.on(EVENT_OF_PDU.get(kind, INVALID))

    @property
    def is_open(self) -> bool:
        """Say whether data may come."""
        return self.state in {OPEN, AWAITING_RP}
