"""Modality worklist: a scanner asks what it is to do (C-FIND, PS3.4 K)."""

from collections.abc import Iterator
from typing import Any

import structlog
from pydicom import Dataset
from pynetdicom import evt

from sightline.kernel.errors import Forbidden, Unavailable
from sightline.record import orders
from sightline.wire.dimse._datasets import (
    CHARACTER_SET,
    NotReadable,
    charset_of,
    person_behind,
    read_message,
    status,
)
from sightline.wire.dimse._encoding import encode_attributes
from sightline.wire.dimse._model import Context, Service

log = structlog.get_logger(__name__)

MODALITY_WORKLIST = "1.2.840.10008.5.1.4.31"
PENDING, PENDING_INCOMPLETE, CANCELLED = 0xFF00, 0xFF01, 0xFE00
OUT_OF_RESOURCES, NOT_AUTHORISED = 0xA700, 0x0124
DOES_NOT_MATCH, CANNOT_PROCESS = 0xA900, 0xC000
MOST_BYTES = 1 << 20
_SOMETHING: orders.Attributes = {"00400100": {"vr": "SQ"}}
Answer = tuple[int | Dataset, bytes | None]


def _find(context: Context, event: Any) -> Iterator[Answer]:
    """Yield each matching item with its status, and at the end the reason if there is one (table K.4-1)."""
    try:
        keys = read_message(event.request.Identifier, event.context.transfer_syntax, most=MOST_BYTES)
        yield from _answers(context, event, keys)
    except NotReadable as error:
        yield status(DOES_NOT_MATCH, str(error)), None
    except Forbidden as error:
        yield status(NOT_AUTHORISED, str(error)), None
    except Unavailable as error:
        yield status(OUT_OF_RESOURCES, str(error)), None
    except Exception as error:  # noqa: BLE001  the peer must get an answer, whatever broke here
        log.error("worklist not answered", error=type(error).__name__)
        yield status(CANNOT_PROCESS, "Something broke on our side; it has been logged."), None


def _answers(context: Context, event: Any, keys: orders.Attributes) -> Iterator[Answer]:
    syntax = str(event.context.transfer_syntax)
    charset = charset_of(event.request.Identifier, syntax)
    if not keys.keys() - {CHARACTER_SET}:
        raise NotReadable("The identifier names no attribute.")
    found = orders.find_worklist(context.store.database, keys, by=person_behind(event))
    for item, complete in found:
        if event.is_cancelled:
            yield CANCELLED, None
            return
        # Where nothing of what was asked for is supported: no dataset may be empty.
        answer = encode_attributes(item, syntax, asked_in=charset) or encode_attributes(_SOMETHING, syntax)
        yield (PENDING if complete else PENDING_INCOMPLETE), answer


SERVICES: tuple[Service, ...] = (
    Service(
        name="Modality Worklist",
        sop_classes=(MODALITY_WORKLIST,),
        role="scp",
        right="worklist",
        handlers={evt.EVT_C_FIND: _find},
    ),
)
