"""What a DICOM service is made of, and what its handlers are given."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from sightline.record import archive
from sightline.runtime.settings import ServerSettings
from sightline.wire.dimse.settings import DimseSettings

# Names this implementation to its peers (PS3.7 D.3.3.2).
IMPLEMENTATION_UID = "2.25.165455301957118366429975432625360195904"
IMPLEMENTATION_VERSION = "SIGHTLINE"

Role: TypeAlias = Literal["scp", "scu"]
Handler: TypeAlias = Callable[["Context", Any], Any]
"""Takes the context and pynetdicom's event; returns (or yields) what pynetdicom wants of this event."""


@dataclass(frozen=True, slots=True)
class Context:
    """What the handlers of a service work on."""

    store: archive.Store
    spool: archive.Spool
    settings: ServerSettings
    dimse: DimseSettings = field(default_factory=DimseSettings)


@dataclass(frozen=True, slots=True)
class Service:
    """One DICOM service as it is offered: the conformance statement is printed from these."""

    name: str
    sop_classes: tuple[str, ...]
    role: Role
    right: str
    handlers: Mapping[Any, Handler] = field(default_factory=dict)
