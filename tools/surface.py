"""What a server shows to the outside, asked of one on an empty folder: routes, and what DICOM it accepts."""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from pydicom._uid_dict import UID_dictionary
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian
from pynetdicom import AE, build_context

from sightline.app.http import build_api, build_app
from sightline.app.installation import Installation, open_installation
from sightline.app.settings import Settings
from sightline.runtime.settings import ServerSettings
from sightline.wire import dimse
from tools.markdown import first_sentence


def api_description() -> dict[str, Any]:
    """Return the OpenAPI description of the JSON API."""
    return build_api().openapi()


@contextmanager
def scratch_installation() -> Iterator[Installation]:
    """Give an installation on an empty folder, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="sightline-reference-") as folder:
        server = ServerSettings(
            data=folder, database_url=None, blobs_url=None, host="127.0.0.1", dicom_port=0
        )
        installation = open_installation(Settings(server=server))
        try:
            yield installation
        finally:
            installation.close()


@cache
def routes_outside_the_api() -> tuple[tuple[str, str, str], ...]:
    """Return path, methods and purpose of every other route, as a server on an empty folder has them."""
    with scratch_installation() as installation:
        found = set(_plain_routes(build_app(installation).routes))
    return tuple(sorted(route for route in found if not route[0].startswith("/api")))


def _plain_routes(routes: Iterable[Any], prefix: str = "") -> Iterator[tuple[str, str, str]]:
    for route in routes:
        path = prefix + getattr(route, "path", "")
        if getattr(route, "routes", None):
            yield from _plain_routes(route.routes, path)
        elif getattr(route, "endpoint", None) is not None:
            methods = ", ".join(sorted((route.methods or {"GET"}) - {"HEAD"}))
            yield path, methods, first_sentence(getattr(route.endpoint, "__doc__", ""))


@cache
def accepted_over_dicom() -> tuple[list[UID], list[UID]]:
    """Return the SOP Classes and Transfer Syntaxes that a listener accepts when all of PS3.6 are proposed."""
    kinds = {UID(uid): (entry[1], entry[3]) for uid, entry in UID_dictionary.items()}
    classes = [uid for uid, kind in kinds.items() if kind == ("SOP Class", "")]
    syntaxes = [uid for uid, (kind, _) in kinds.items() if kind == "Transfer Syntax"]  # retired ones too
    with scratch_installation() as installation:
        listener = dimse.Listener(installation.store, installation.settings.server)
        listener.start()
        try:
            taken = _accepted(listener.port, [(uid, ExplicitVRLittleEndian) for uid in classes])
            understood = _accepted(listener.port, [(CTImageStorage, uid) for uid in syntaxes])
        finally:
            listener.stop()
    return [pair[0] for pair in taken], [pair[1] for pair in understood]


def _accepted(port: int, proposals: list[tuple[UID, UID]]) -> list[tuple[UID, UID]]:
    """Propose pairs of syntaxes, 128 to an association (PS3.8 9.3.2.2); return those accepted."""
    accepted = []
    for start in range(0, len(proposals), 128):
        contexts = [build_context(*pair) for pair in proposals[start : start + 128]]
        association = AE().associate("127.0.0.1", port, contexts=contexts)
        if not association.is_established:
            continue  # nothing of the batch was accepted
        accepted += [
            (UID(str(context.abstract_syntax)), UID(context.transfer_syntax[0]))
            for context in association.accepted_contexts
        ]
        association.release()
    return sorted(accepted, key=lambda pair: (pair[0].name, pair[1].name))
