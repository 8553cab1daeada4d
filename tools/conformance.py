"""The conformance statement, in the order of PS3.2 annex N, from the registries that the product uses.

What a peer may rely on is not written by hand: SOP Classes and Transfer Syntaxes are those that a listener
accepted, services come from the table that serves them, routes and search keys from the code that answers.
"""

from collections.abc import Iterator

from pydicom.uid import UID

from sightline.record import archive
from sightline.wire import dimse
from sightline.wire.dimse.settings import DimseSettings
from tools import surface
from tools.markdown import page, table

# Statuses by the right that a service asks for (PS3.4 annexes B, C, F, J, K, R).
STATUSES: dict[str, tuple[tuple[int, str], ...]] = {
    "echo": ((0x0000, "we are here"),),
    "store": (
        (0x0000, "the object is durable, or was held already with the same content"),
        (0xB000, "kept; a rule at the door changed what is shown and given out of it"),
        (
            0x0111,
            "another object is held under this SOP Instance UID; the new one is kept aside for a person",
        ),
        (0x0122, "the SOP Class was not accepted for this association"),
        (0x0124, "this AE title may not store"),
        (0xA700, "the store is full, over its quota, or cannot be written; nothing was kept"),
        (0xA770, "a person rejected this object before"),
        (0xA900, "a UID is missing or not valid"),
        (0xC000, "the object cannot be read"),
    ),
    "find": (
        (0xFF00, "a match; every key was honoured"),
        (0xFF01, "a match; some optional keys were not"),
        (0x0000, "no more matches"),
        (0xFE00, "cancelled by the asker"),
        (0x0124, "this AE title may not ask"),
        (0xA700, "the database cannot be read at present"),
        (0xA900, "the identifier does not fit the level or model"),
        (0xC000, "the identifier cannot be read"),
    ),
    "retrieve": (
        (0xFF00, "under way; with the numbers of sub-operations"),
        (0x0000, "all sub-operations succeeded"),
        (0xB000, "some failed or came with a warning; the identifier names the failed ones"),
        (0xFE00, "cancelled by the asker"),
        (0x0124, "this AE title may not retrieve"),
        (0xA701, "the matches cannot be counted"),
        (0xA702, "no sub-operation could be performed"),
        (0xA801, "the destination is not in the list of peers"),
        (0xA900, "the identifier does not fit the level or model"),
        (0xC000, "the identifier cannot be read"),
    ),
    "worklist": (
        (0xFF00, "a scheduled step; every key was honoured"),
        (0xFF01, "a scheduled step; some optional keys were not"),
        (0x0000, "no more matches"),
        (0xFE00, "cancelled by the asker"),
        (0x0124, "this AE title may not ask"),
        (0xA700, "the database cannot be read at present"),
        (0xA900, "the identifier has no scheduled step to match"),
        (0xC000, "the identifier cannot be read"),
    ),
    "mpps": (
        (0x0000, "done"),
        (0x0106, "a value is not allowed"),
        (0x0110, "not done; with Error ID A506, the step has ended and can no longer be changed"),
        (0x0111, "there is such a step already"),
        (0x0112, "there is no such step"),
        (0x0117, "the SOP Instance UID is not valid"),
        (0x0120, "a required attribute is missing"),
        (0x0121, "a required attribute has no value"),
        (0x0124, "this AE title may not report"),
        (0x0213, "the database cannot be written at present, or the message is too large"),
    ),
    "commit": (
        (0x0000, "the request is noted; the answer comes by N-EVENT-REPORT"),
        (0x0112, "in the answer: no such object is held"),
        (0x0115, "the request names no transaction or no object"),
        (0x0119, "in the answer: the object is of another SOP Class"),
        (0x0123, "there is no such action"),
    ),
}

SCU = (
    ("Verification", "`sightline peer echo`, the button on the page of peers"),
    ("Storage", "transfers, forwarding rules, sub-operations of C-MOVE and C-GET"),
    ("Study Root Query", "`sightline peer find`, migration"),
    ("Study Root Retrieve (MOVE, GET)", "retrieval and migration use GET"),
    ("Storage Commitment Push Model", "for what was sent, where it is wanted"),
    ("Instance Availability Notification", "on each complete study, to the peers set in the settings"),
    ("Modality Worklist, Modality Performed Procedure Step", "as calls of the code"),
)

POLICY = """
One application entity, `{title}` unless set otherwise, on port 11112; with a certificate set also on port
2762 over TLS. {associations} associations at once, fewer where a peer has a limit of its own; PDUs of up to
{pdu} bytes are asked for and any are taken. Implementation Class UID `{uid}`, version name `{version}`. No
asynchronous operations.

| time-out | s |
|---|---|
| association to be asked for and answered | {acse} |
| message that has begun without headway | {message} |
| quiet open association | {network} |

Associations are rejected with: called AE title not recognised (1, 1, 7; not from the machine itself),
calling AE title not recognised (1, 1, 3), application context not supported (1, 1, 2), protocol version not
supported (1, 2, 2), temporary congestion (2, 3, 1). From the machine itself any AE title may do everything;
elsewhere an unknown one may only echo, until an administrator adds it.
"""

HELD = """
Objects are kept byte for byte as they came, whatever their transfer syntax. The same object again changes
nothing; a different one under a held UID is kept aside. Corrections (merge, move, split, edit) and rules at
the door change attributes of what is shown and given out, never the stored bytes. Rejection notes (Key
Object Selection titled 113001, 113037, 113038 or 113039, DCM) are followed and written; what is rejected
answers as not held.
"""

WRITTEN = """
| SOP Class | when |
|---|---|
| Comprehensive 3D SR Storage | a report is signed: measurements by TID 1500 (1411, 1501); verified |
| Segmentation Storage | a report is signed: the segmented lesions, binary, one segment each |
| Encapsulated PDF Storage | a report is signed: its text |
| Key Object Selection Document Storage | a person rejects objects |
"""

WEB_STATUSES = """
| status | when |
|---|---|
| 200, 204, 206, 304 | answered, nothing found, a part of a body, unchanged |
| 202 | stored in part; the response says which not, and why |
| 400 | the request cannot be read |
| 401, 403 | nobody is logged in, or they may not |
| 404 | not held, or rejected |
| 406 | none of the accepted media types or transfer syntaxes can be given |
| 409 | nothing was stored |
| 413 | an object is larger than is taken |
| 415 | the body is of a kind that is not taken |
| 507 | the store is full or over its quota; nothing of it was kept |
"""

CHARACTERS = """
All character sets of PS3.3 C.12.1.1.2 are read. Search compares without case and accents, in each group of
a name. Answers to C-FIND come in the set that was asked in where it holds the text, else in ISO_IR 192;
JSON and XML are UTF-8.
"""

SECURITY = """
DICOM: TLS 1.2 and 1.3 (BCP 195, PS3.15 B.12), client certificates by setting, certificates bound to peers.
HTTP: behind a proxy with TLS; session cookie, bearer token, or Basic with a token as password. Every act
and every read is in an audit trail that can be proved whole.
"""


def conformance_page() -> str:
    """Return the whole statement."""
    classes, syntaxes = surface.accepted_over_dicom()
    return page(
        "Conformance statement",
        "What Sightline speaks, in the order of PS3.2 annex N; printed from the code.",
        "## Overview",
        table(["service", "role", "SOP Classes", "right"], _services()),
        "As user of a service:",
        table(["service", "used by"], SCU),
        "## Application entity and associations",
        _policy(),
        "## Statuses",
        *_statuses(),
        f"## SOP Classes accepted ({len(classes)})",
        table(["SOP Class", "UID"], [(uid.name, f"`{uid}`") for uid in classes]),
        f"## Transfer Syntaxes accepted ({len(syntaxes)})",
        table(["Transfer Syntax", "UID"], [(uid.name, f"`{uid}`") for uid in syntaxes]),
        "## Keys of query and search",
        "Matched by C-FIND and QIDO-RS: single value, list of UIDs, wildcard, range, sequence, universal.",
        table(["level", "attributes"], _searchable()),
        "## What becomes of objects",
        HELD,
        "## Objects written",
        WRITTEN,
        "## DICOMweb",
        "Below `/dicom-web` (PS3.18).",
        table(["request", "does"], _dicomweb()),
        WEB_STATUSES,
        "## Character sets",
        CHARACTERS,
        "## Security",
        SECURITY,
        "## FHIR R4",
        "Below `/fhir`; a machine-readable statement is at `/fhir/metadata`.",
        table(["resource", "interactions", "search parameters"], _fhir()),
    )


def _services() -> Iterator[tuple[str, str, str, str]]:
    for service in dimse.SERVICES:
        named = ", ".join(f"{UID(uid).name} (`{uid}`)" for uid in service.sop_classes[:3])
        if len(service.sop_classes) > 3:
            named = "those below"
        yield service.name, service.role.upper(), named, f"`{service.right}`"


def _policy() -> str:
    settings = DimseSettings()
    return POLICY.format(
        title="SIGHTLINE",
        associations=settings.max_associations,
        pdu=settings.max_pdu,
        uid=dimse.IMPLEMENTATION_UID,
        version=dimse.IMPLEMENTATION_VERSION,
        acse=settings.acse_timeout_s,
        message=settings.dimse_timeout_s,
        network=settings.network_timeout_s,
    )


def _statuses() -> Iterator[str]:
    names = {service.right: service.name.split(" (")[0] for service in reversed(dimse.SERVICES)}
    for right, statuses in STATUSES.items():
        yield f"### {names[right]}"
        yield table(["status", "when"], [(f"{code:04X}", words) for code, words in statuses])


def _searchable() -> Iterator[tuple[str, str]]:
    for level in ("patient", "study", "series", "instance"):
        known = archive.searchable(level)
        yield level, ", ".join(f"{name} ({tag})" for tag, name in sorted(known.items()))


def _dicomweb() -> Iterator[tuple[str, str]]:
    for path, methods, words in surface.routes_outside_the_api():
        if path.startswith("/dicom-web"):
            yield f"`{methods} {path}`", words


def _fhir() -> Iterator[tuple[str, str, str]]:
    from sightline.wire.fhir import routes

    for capability in routes.CAPABILITIES:
        search = ", ".join(f"`{name}` ({kind})" for name, kind in sorted(capability.search.items()))
        yield capability.resource, ", ".join(capability.interactions), search
