"""The modality worklist: one item for each scheduled step on offer, in DICOM JSON (PS3.4 table K.6-1)."""

from collections.abc import Iterator
from typing import Any

from sightline.kernel.codes import Code
from sightline.record import archive
from sightline.record.orders import _store as store
from sightline.record.orders._matching import (
    MOMENTS,
    date_range,
    matches,
    texts_of,
    unsupported,
    wanted_of,
)
from sightline.record.orders._model import OFFERED, Attributes, Order, Procedure, Status, Step, Subject
from sightline.runtime.db import Database

STEPS = "00400100"
PREGNANCY = {"not pregnant": 1, "possibly pregnant": 2, "definitely pregnant": 3, "unknown": 4}
PAGE = 100
# More values than that are compared one by one instead of being handed to the database.
MOST_EXACT = 200
_DATE, _TIME = next(iter(MOMENTS.items()))
# The words of (0040,0020) for the states that have one.
_STATUS = {Status.SCHEDULED: "SCHEDULED", Status.ARRIVED: "ARRIVED", Status.STARTED: "STARTED"}


def find_items(database: Database, keys: Attributes) -> Iterator[tuple[Attributes, bool]]:
    """Yield what a modality is offered that matches `keys`, and whether all that it asks for is supported.

    Each page is read in a short transaction of its own, so that a slow modality holds nothing up.
    """
    wanted, after = _narrow(keys), None
    while True:
        with database.reading() as db:
            page, after = store.offered(db, wanted, limit=PAGE, after=after)
        for order, step in page:
            item = build_item(order, step)
            if matches(keys, item):
                yield wanted_of(keys, item), not unsupported(keys, item)
        if after is None:
            return


def build_item(order: Order, step: Step) -> Attributes:
    """Return one worklist item with every attribute that is supported, empty where nothing is known.

    Source: PS3.4 table K.6-1, module by module.
    """
    subject, procedure, care = order.subject, order.procedure, order.precautions
    return {
        "00080050": _text("SH", order.accession),
        "00080051": _sequence(
            {"00400031": _text("UT", order.accession_issuer)} if order.accession_issuer else None
        ),
        "00080090": _name(order.referring),
        "00081110": _sequence(None),
        "00081120": _sequence(None),
        "00100010": _name(subject.name),
        "00100020": _text("LO", subject.patient_id),
        "00100021": _text("LO", subject.issuer),
        "00100030": _text("DA", subject.birth_date),
        "00100040": _text("CS", subject.sex),
        "00101002": _sequence(None),
        "00101030": _number("DS", care.weight_kg),
        "00102000": _text("LO", care.alerts),
        "00102110": _text("LO", care.allergies),
        "001021B0": _text("LT", order.indication),
        "001021C0": _number("US", PREGNANCY.get(care.pregnancy)),
        "0020000D": _text("UI", order.study_uid),
        "00321032": _name(order.requester),
        "00321033": _text("LO", ""),
        "00321060": _text("LO", procedure.description),
        "00321064": _sequence(_code(procedure.code)),
        "00380010": _text("LO", order.admission_id),
        "00380050": _text("LO", care.special_needs),
        "00380300": _text("LO", ""),
        "00380500": _text("LO", ""),
        STEPS: _sequence(_step_item(step)),
        "00401001": _text("SH", procedure.id),
        "00401002": _text("LO", " ".join(order.indication.split())[:64].strip()),
        "00401003": _text("SH", order.priority.value.upper()),
        "00401004": _text("LO", ""),
        "00401400": _text("LT", ""),
        "00402016": _text("LO", order.placer_number),
        "00402017": _text("LO", order.filler_number),
        "00403001": _text("LO", ""),
    }


def _step_item(step: Step) -> Attributes:
    return {
        "00080060": _text("CS", step.modality),
        "00321070": _text("LO", ""),
        "00400001": _text("AE", step.station_ae),
        _DATE: _text("DA", step.date),
        _TIME: _text("TM", step.time),
        "00400006": _name(step.performer),
        "00400007": _text("LO", step.description),
        "00400008": _sequence(_code(step.protocol)),
        "00400009": _text("SH", step.id),
        "00400010": _text("SH", step.station_name),
        "00400011": _text("SH", step.location),
        "00400012": _text("LO", ""),
        "00400020": _text("CS", _STATUS.get(step.status, "")),
        "00400400": _text("LT", ""),
    }


def supported_keys() -> tuple[str, ...]:
    """Return the tags that may be asked for, those of a step as ``00400100.…``; printed as conformance."""
    step = Step("1", "CT", "", "", "")
    item = build_item(_EMPTY, step)
    return tuple(sorted([*item, *(f"{STEPS}.{tag}" for tag in item[STEPS]["Value"][0])]))


def _narrow(keys: Attributes) -> store.Wanted:
    """Return what of the keys an index can answer; `matches` sees to the rest."""
    inner = next((part for part in keys.get(STEPS, {}).get("Value") or () if isinstance(part, dict)), {})
    days = texts_of(inner.get(_DATE))
    since, until = date_range(days[0]) if len(days) == 1 else ("", "")
    asked = {text: status for status, text in _STATUS.items()}
    statuses = tuple(asked[text] for text in texts_of(inner.get("00400020")) if text in asked)
    return store.Wanted(
        statuses=statuses or OFFERED,
        stations=_exact(inner, "00400001"),
        modalities=_exact(inner, "00080060"),
        step_ids=_exact(inner, "00400009"),
        since=since if since.isdigit() else "",
        until=until if until.isdigit() else "",
        patient_ids=_exact(keys, "00100020"),
        accessions=_exact(keys, "00080050"),
        study_uids=_exact(keys, "0020000D"),
        name_prefix=_prefix(texts_of(keys.get("00100010"))),
    )


def _exact(keys: Attributes, tag: str) -> tuple[str, ...]:
    """Return the values of a key that are meant as they stand, none when one of them is a pattern."""
    asked = texts_of(keys.get(tag))
    open_ended = any(mark in text for text in asked for mark in ("*", "?", "\0"))
    return () if open_ended or len(asked) > MOST_EXACT else tuple(asked)


def _prefix(asked: list[str]) -> str:
    """Return how a matching name begins, as it is searched for; empty when a pattern leaves that open."""
    if len(asked) != 1 or "=" in asked[0]:
        return ""
    plain = archive.normalise_name(asked[0])
    for mark in ("*", "?", "\0"):
        plain = plain.partition(mark)[0]
    return plain.rstrip()


def _text(vr: str, value: str) -> dict[str, Any]:
    return {"vr": vr, "Value": [value]} if value else {"vr": vr}


def _number(vr: str, value: float | None) -> dict[str, Any]:
    return {"vr": vr, "Value": [value]} if value is not None else {"vr": vr}


def _name(value: str) -> dict[str, Any]:
    groups = zip(("Alphabetic", "Ideographic", "Phonetic"), value.split("="), strict=False)
    return {"vr": "PN", "Value": [{group: text for group, text in groups if text}]} if value else {"vr": "PN"}


def _sequence(item: Attributes | None) -> dict[str, Any]:
    return {"vr": "SQ", "Value": [item]} if item else {"vr": "SQ"}


def _code(code: Code | None) -> Attributes | None:
    if code is None:
        return None
    return {
        "00080100": _text("SH", code.value),
        "00080102": _text("SH", code.scheme),
        "00080103": _text("SH", ""),
        "00080104": _text("LO", code.meaning),
    }


_EMPTY = Order(
    id="",
    accession="",
    accession_issuer="",
    subject=Subject("", ""),
    procedure=Procedure("", ""),
    study_uid="",
    steps=(),
)
