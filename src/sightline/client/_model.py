"""What the client gives back and raises."""

from dataclasses import dataclass

from sightline.kernel.errors import Forbidden, Invalid, NotFound, Unauthenticated, Unavailable


class LoginRefused(Unauthenticated):
    """The server does not know this token or password; make a new one with ``sightline token create``."""


class NotPermitted(Forbidden):
    """The server knows who asks and does not permit it; ask its administrator."""


class NotThere(NotFound):
    """The server holds no such study, series or object."""


class RequestRefused(Invalid):
    """The server cannot do what was asked; its own words say why."""


class ServerUnavailable(Unavailable):
    """The server did not answer, or cannot answer now; try again later."""


class UnreadableAnswer(Unavailable):
    """The server answered with something that is not DICOMweb; check the address."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of one uploaded object.

    `name` is the file it came from, `status` the Failure or Warning Reason (PS3.18 table I.2-2): 0 when it is
    held as sent.
    """

    name: str
    sop_uid: str
    ok: bool
    status: int = 0
    reason: str = ""
