"""Hanging protocols as data: which study gets which stages, and what each pane of a stage shows.

Invariants: a protocol that is kept can be used; a person sees their own, those of their site and the built-in
ones, and of one id only the nearest; only administrators change those of a site; nobody changes the built-in.
"""

from sightline.care.hanging._model import (
    MOST_FILE_BYTES,
    MOST_KEPT,
    VERSION,
    HangingProtocol,
    HangingProtocolExists,
    HangingProtocolNotHeld,
    NotAHangingProtocol,
    Owned,
    Owner,
    ProtocolFile,
    TooManyHangingProtocols,
    parse_file,
    render_file,
)
from sightline.care.hanging._service import (
    add_protocol,
    find_protocols,
    import_protocols,
    put_protocol,
    remove_protocol,
)

__all__ = [
    "MOST_FILE_BYTES",
    "MOST_KEPT",
    "VERSION",
    "HangingProtocol",
    "HangingProtocolExists",
    "HangingProtocolNotHeld",
    "NotAHangingProtocol",
    "Owned",
    "Owner",
    "ProtocolFile",
    "TooManyHangingProtocols",
    "add_protocol",
    "find_protocols",
    "import_protocols",
    "parse_file",
    "put_protocol",
    "remove_protocol",
    "render_file",
]
