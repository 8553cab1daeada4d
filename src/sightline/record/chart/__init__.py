"""What is known of a patient beside images: treatments with their span, laboratory values with their range.

Invariants: every entry says where it is from and who brought it; what is brought again changes only what is
different; an entry that is removed is kept, can be restored, and no import brings it back by itself; a value
is never without its unit.
"""

from sightline.record.chart._model import (
    Draft,
    Entry,
    EntryNotHeld,
    EntryOrigin,
    Kind,
    Sourced,
    Taken,
    TooManyEntries,
    UnusableEntry,
    checked,
)
from sightline.record.chart._service import add_entry, entries_of, remove_entry, restore_entry, take_in

__all__ = [
    "Draft",
    "Entry",
    "EntryNotHeld",
    "EntryOrigin",
    "Kind",
    "Sourced",
    "Taken",
    "TooManyEntries",
    "UnusableEntry",
    "add_entry",
    "checked",
    "entries_of",
    "remove_entry",
    "restore_entry",
    "take_in",
]
