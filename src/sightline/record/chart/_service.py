"""Use cases of the chart: enter, take in, see, remove and restore."""

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import replace

from sightline.kernel import clock
from sightline.record import archive
from sightline.record.chart import _store as store
from sightline.record.chart._model import (
    MOST_ENTRIES,
    Draft,
    Entry,
    EntryNotHeld,
    EntryOrigin,
    Sourced,
    Taken,
    TooManyEntries,
    checked,
)
from sightline.runtime.db import Db
from sightline.trust import access, audit

audit.declare("chart.add", "A treatment or laboratory value was entered by hand")
audit.declare("chart.import", "Treatments and laboratory values of a patient were taken from a file")
audit.declare("chart.remove", "A treatment or laboratory value was removed")
audit.declare("chart.restore", "A treatment or laboratory value that was removed was restored")


def entries_of(db: Db, patient: str, *, by: access.Person) -> list[Entry]:
    """Return what stands in a patient's chart, by date; what was entered before a merge as well."""
    access.require(by, "chart.read", on=patient)
    return store.of_patients(db, archive.ids_of_patient(db, patient))


def add_entry(db: Db, patient: str, draft: Draft, *, by: access.Person) -> Entry:
    """Enter a treatment or laboratory value by hand.

    Raises
    ------
    UnusableEntry
        If it cannot be right.
    TooManyEntries
        If the chart is full.
    """
    access.require(by, "chart.edit", on=patient)
    ids = archive.ids_of_patient(db, patient)
    _require_room(db, ids, 1)
    entry = _new(uuid.uuid4().hex, ids[0], checked(draft), EntryOrigin.PERSON, "", "", by)
    store.add(db, [entry])
    audit.record(db, "chart.add", by=by, on=ids[0], entry=entry.id, kind=draft.kind.value)
    return entry


def take_in(
    db: Db, patient: str, sourced: Sequence[Sourced], *, by: access.Person, source_sha256: str
) -> Taken:
    """Bring the chart of a patient in step with a FHIR file: all that it holds, or nothing.

    What came before under the same reference is replaced where it differs; what a person removed stays so.
    """
    access.require(by, "chart.edit", on=patient)
    ids = archive.ids_of_patient(db, patient)
    held = {entry.id: entry for entry in store.of_patients(db, ids, removed=True)}
    known = {entry.reference: entry for entry in held.values() if entry.origin is EntryOrigin.FHIR}
    counts = {"added": 0, "changed": 0, "unchanged": 0, "left_removed": 0}
    new: list[Entry] = []
    for item in {item.reference: item for item in sourced}.values():
        draft, before = checked(item.draft), known.get(item.reference)
        if before is None:
            counts["added"] += 1
            identity = hashlib.sha256(f"{ids[0]}\n{item.reference}".encode()).hexdigest()[:32]
            new.append(_new(identity, ids[0], draft, EntryOrigin.FHIR, item.reference, source_sha256, by))
        elif before.removed_at is not None:
            counts["left_removed"] += 1
        elif before.draft == draft:
            counts["unchanged"] += 1
        else:
            counts["changed"] += 1
            fresh = _new(
                before.id, before.patient, draft, EntryOrigin.FHIR, item.reference, source_sha256, by
            )
            store.replace_entry(db, fresh)
    _require_room(db, ids, len(new))
    store.add(db, new)
    audit.record(db, "chart.import", by=by, on=ids[0], source_sha256=source_sha256, **counts)
    return Taken(**counts)


def remove_entry(db: Db, patient: str, entry_id: str, *, by: access.Person) -> None:
    """Take an entry out of sight; it is kept and can be restored."""
    entry = _held(db, patient, entry_id, by)
    if entry.removed_at is None:
        store.set_removed(db, entry.id, clock.now(), by.id)
        audit.record(db, "chart.remove", by=by, on=entry.patient, entry=entry.id)


def restore_entry(db: Db, patient: str, entry_id: str, *, by: access.Person) -> Entry:
    """Bring back an entry that was removed."""
    entry = _held(db, patient, entry_id, by)
    if entry.removed_at is not None:
        store.set_removed(db, entry.id, None, None)
        audit.record(db, "chart.restore", by=by, on=entry.patient, entry=entry.id)
    return replace(entry, removed_at=None, removed_by=None)


def _held(db: Db, patient: str, entry_id: str, by: access.Person) -> Entry:
    access.require(by, "chart.edit", on=patient)
    entry = store.get(db, archive.ids_of_patient(db, patient), entry_id)
    if entry is None:
        raise EntryNotHeld("The chart of this patient holds no such entry.")
    return entry


def _require_room(db: Db, ids: Sequence[str], more: int) -> None:
    if store.count(db, ids) + more > MOST_ENTRIES:
        raise TooManyEntries(f"The chart of a patient holds at most {MOST_ENTRIES} entries.")


def _new(
    identity: str,
    patient: str,
    draft: Draft,
    origin: EntryOrigin,
    reference: str,
    sha256: str,
    by: access.Person,
) -> Entry:
    return Entry(
        id=identity,
        patient=patient,
        draft=draft,
        origin=origin,
        reference=reference,
        source_sha256=sha256,
        entered_at=clock.now(),
        entered_by=by.id,
        entered_by_name=by.name,
    )
