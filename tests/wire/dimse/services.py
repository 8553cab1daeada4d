"""A plain DICOM server made of some of our services: what the handlers do is tested without the listener."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pynetdicom import AE, evt

from sightline.record import archive
from sightline.runtime.settings import ServerSettings
from sightline.wire import peers
from sightline.wire.dimse._datasets import MESSAGE_SYNTAXES
from sightline.wire.dimse._model import Context, Service
from sightline.wire.dimse.settings import DimseSettings


@contextmanager
def serving(store: archive.Store, services: Sequence[Service]) -> Iterator[int]:
    """Serve on a loopback port of its own, and give the port; everybody is admitted with every right."""
    spool = archive.Spool(store)
    spool.start()
    context = Context(store, spool, ServerSettings(ae_title="SIGHTLINE"), DimseSettings())
    ae = AE("SIGHTLINE")
    ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = 10
    for service in services:
        for sop_class in service.sop_classes:
            ae.add_supported_context(sop_class, list(MESSAGE_SYNTAXES), scu_role=True, scp_role=True)
    events = {event for service in services for event in service.handlers}
    handlers: list[Any] = [(evt.EVT_REQUESTED, _admit)]
    handlers += [(event, _dispatch(services, event, context)) for event in events]
    server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    try:
        yield server.socket.getsockname()[1]
    finally:
        server.shutdown()
        spool.stop()


def _admit(event: Any) -> None:
    title = event.assoc.requestor.primitive.calling_ae_title.strip()
    event.assoc.admission = peers.Admission(title, None, peers.EVERY_RIGHT, peers.person_of(title))


def _dispatch(services: Sequence[Service], event: Any, context: Context) -> Any:
    by_class = {c: s.handlers[event] for s in services if event in s.handlers for c in s.sop_classes}
    return lambda happened: by_class[happened.context.abstract_syntax](context, happened)
