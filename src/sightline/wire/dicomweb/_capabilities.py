"""What each address answers to, told to machines: WADL, or the same as JSON (PS3.18 8.9)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

from starlette.responses import Response

from sightline.wire.dicomweb import _accept as accept
from sightline.wire.dicomweb._serving import Asked

WADL = "application/vnd.sun.wadl+xml"
NAMESPACE = "http://wadl.dev.java.net/2009/02"


@dataclass(frozen=True, slots=True)
class Capability:
    """What a method does at an address: its transaction, query parameters and media types."""

    transaction: str
    parameters: tuple[str, ...] = ()
    gives: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()


Capabilities = Mapping[str, Mapping[str, Capability]]


def describe(asked: Asked, capabilities: Capabilities, path: str | None) -> Response:
    """Return the capabilities of one address, or of all when none is named."""
    shown = capabilities if path is None else {path: capabilities[path]}
    kind = accept.choose_kind(asked.accept, (WADL, accept.PLAIN_JSON)).kind
    headers = {"Vary": "Accept"}
    if path is not None:
        headers["Allow"] = ", ".join(["OPTIONS", *shown[path]])
    body = _wadl(shown, asked.root) if kind == WADL else _json(shown, asked.root)
    return Response(body, headers=headers, media_type=kind)


def _json(capabilities: Capabilities, root: str) -> str:
    resources = [
        {
            "path": path,
            "methods": [
                {
                    "method": method,
                    "transaction": one.transaction,
                    "parameters": list(one.parameters),
                    "request": list(one.takes),
                    "response": list(one.gives),
                }
                for method, one in methods.items()
            ],
        }
        for path, methods in capabilities.items()
    ]
    return json.dumps({"base": root, "resources": resources})


def _wadl(capabilities: Capabilities, root: str) -> str:
    inner = "".join(_resource(path, methods) for path, methods in capabilities.items())
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<application xmlns="{NAMESPACE}">'
        f"<resources base={quoteattr(root)}>{inner}</resources></application>"
    )


def _resource(path: str, methods: Mapping[str, Capability]) -> str:
    named = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    place = "".join(f'<param name="{name}" style="template" required="true"/>' for name in named)
    told = "".join(_method(method, one) for method, one in methods.items())
    return f"<resource path={quoteattr(path.lstrip('/'))}>{place}{told}</resource>"


def _method(method: str, one: Capability) -> str:
    queries = "".join(f'<param name="{name}" style="query"/>' for name in one.parameters)
    takes = _representations(one.takes)
    request = f"<request>{queries}{takes}</request>" if queries or takes else ""
    response = f"<response>{_representations(one.gives)}</response>" if one.gives else ""
    return f'<method name="{method}" id="{one.transaction}">{request}{response}</method>'


def _representations(kinds: Sequence[str]) -> str:
    return "".join(f"<representation mediaType={quoteattr(kind)}/>" for kind in kinds)
