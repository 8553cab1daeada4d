"""What to read next, and why it stands there.

Invariants: the order is by the moment by which a study is due, so waiting alone moves it up and nothing
starves; every row says why in one line; the place is worked out when something happens, never when the list
is looked at.
"""

from sightline.care.worklist._model import (
    Entry,
    ListPage,
    ListQuery,
    NotOnTheList,
    Place,
    Urgency,
    place_study,
)
from sightline.care.worklist._service import (
    ClaimedByAnother,
    claim_study,
    defer_study,
    find_entries,
    get_entry,
    hold_entry,
    neighbours_of,
    refresh_entry,
    release_study,
    undefer_study,
)

__all__ = [
    "ClaimedByAnother",
    "Entry",
    "ListPage",
    "ListQuery",
    "NotOnTheList",
    "Place",
    "Urgency",
    "claim_study",
    "defer_study",
    "find_entries",
    "get_entry",
    "hold_entry",
    "neighbours_of",
    "place_study",
    "refresh_entry",
    "release_study",
    "undefer_study",
]
