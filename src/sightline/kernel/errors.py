"""The errors this platform refuses with.

PlatformError
├── NotFound       the thing is not held, or the caller may not know of it
├── Unauthenticated  we do not know who is calling
├── Forbidden      the caller is known and may not
├── Invalid        the request cannot be right, whoever asks
├── Conflict       right in itself, but not in the present state
└── Unavailable    a neighbour we need did not answer
"""

from typing import ClassVar


class PlatformError(Exception):
    """A refusal in words a caller can act on.

    Raise a subclass named after what is the case (``ReportAlreadySigned``), never this one.
    The edge renders it: problem+json (RFC 9457), DIMSE status, FHIR OperationOutcome.
    Facts never hold more than the caller may see, and never patient data.
    """

    code: ClassVar[str] = "platform-error"

    def __init__(self, message: str, **facts: str) -> None:
        super().__init__(message)
        self.facts = facts

    def __init_subclass__(cls) -> None:
        """Derive the machine-readable code from the class name."""
        cls.code = "".join(f"-{c.lower()}" if c.isupper() else c for c in cls.__name__).lstrip("-")


class NotFound(PlatformError):
    """The thing is not held, or the caller may not know of it."""


class Unauthenticated(PlatformError):
    """We do not know who is calling; log in and try again."""


class Forbidden(PlatformError):
    """The caller is known and may not."""


class Invalid(PlatformError):
    """The request cannot be right, whoever asks."""


class Conflict(PlatformError):
    """Right in itself, but not in the present state."""


class Unavailable(PlatformError):
    """A neighbour we need did not answer; try again later."""
