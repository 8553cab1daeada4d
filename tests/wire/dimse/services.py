"""Our DICOM port with some of our services, and everybody let in: what the handlers do is tested alone."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sightline.record import archive
from sightline.runtime.settings import ServerSettings
from sightline.wire import dimse, peers
from sightline.wire.dimse._model import Service
from sightline.wire.dimse._services import Services


@contextmanager
def serving(store: archive.Store, services: Sequence[Service]) -> Iterator[int]:
    """Serve on a loopback port of its own, and give the port; everybody is admitted with every right."""
    listener = dimse.Listener(store, ServerSettings(ae_title="SIGHTLINE", dicom_port=0))
    listener._services = Services(listener._context, listener._turnstile, services)
    listener._decide = lambda request, *_: peers.Admission(
        request.calling, None, peers.EVERY_RIGHT, peers.person_of(request.calling)
    )
    listener.start()
    try:
        yield listener.port
    finally:
        listener.stop()
