"""How long and how much is kept: labels, legal hold, retention rules, the trash and its end, quotas.

Invariants: nothing under legal hold goes to the trash or is purged; bytes go only after their rows say that
they are going, and rows only after their bytes have gone, so that a kill in between leaves no orphan.
"""

import shutil
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, TypeAlias

from sightline.kernel import clock
from sightline.kernel.errors import Conflict, Invalid, NotFound
from sightline.record.archive import _store as store_
from sightline.record.archive._coercion import BadRule
from sightline.record.archive._model import Incoming, ObjectRefused, Store, StudyNotHeld
from sightline.record.archive._withheld import TRASHED, Act, withhold
from sightline.runtime.blobs import LocalBlobs
from sightline.runtime.db import Db
from sightline.trust import access, audit

audit.declare("archive.label", "A label was put on a study, or taken off")
audit.declare("archive.hold", "A study was put under legal hold, or the hold was lifted")
audit.declare("archive.purge", "Bytes of what was in the trash were removed for good")
audit.declare("archive.empty-trash", "A person had the trash emptied at once")
audit.declare("archive.retain", "A study was put in the trash because a retention rule says so")

KIND = "retention"
GIB = 1 << 30
MOST_LABELS = 50
PURGED_AT_ONCE = 500
# An object that is sent again within the hour is given the place it had; its bytes must not go meanwhile.
YOUNG = timedelta(hours=2)
LEAST_KEPT_S = 5.0


class LabelNotHeld(NotFound):
    """The study does not bear this label."""


class TooManyLabels(Conflict):
    """A study bears at most 50 labels."""


class NotOnHold(NotFound):
    """The study is not under legal hold."""


def label_study(db: Db, study_uid: str, label: str, *, by: access.Person) -> None:
    """Put a label on a study; one that it bears already changes nothing."""
    access.require(by, "archive.label", on=study_uid)
    text = " ".join(label.split())
    if not text or len(text) > 64 or not text.isprintable():
        raise Invalid("A label is 1 to 64 printable characters.")
    _require_study(db, study_uid)
    if store_.count_labels(db, study_uid) >= MOST_LABELS:
        raise TooManyLabels(f"A study bears at most {MOST_LABELS} labels; take one off first.")
    store_.add_label(db, {"study": study_uid, "label": text, "by": by.id, "at": clock.now()})
    audit.record(db, "archive.label", by=by, on=study_uid, put=True)


def unlabel_study(db: Db, study_uid: str, label: str, *, by: access.Person) -> None:
    """Take a label off a study."""
    access.require(by, "archive.label", on=study_uid)
    if not store_.remove_label(db, study_uid, " ".join(label.split())):
        raise LabelNotHeld("The study does not bear this label.", study=study_uid)
    audit.record(db, "archive.label", by=by, on=study_uid, put=False)


@dataclass(frozen=True, slots=True)
class Hold:
    """Who put a study under legal hold, when and why."""

    by: str
    at: datetime
    reason: str


def hold_study(db: Db, study_uid: str, *, reason: str, by: access.Person) -> None:
    """Put a study under legal hold: it does not go to the trash, and nothing of it is purged."""
    access.require(by, "archive.hold", on=study_uid)
    _require_study(db, study_uid)
    row = {"study": study_uid, "by": by.id, "by_name": by.name, "at": clock.now(), "reason": reason[:1000]}
    store_.add_hold(db, row)
    audit.record(db, "archive.hold", by=by, on=study_uid, held=True)


def release_study(db: Db, study_uid: str, *, by: access.Person) -> None:
    """Lift a legal hold."""
    access.require(by, "archive.hold", on=study_uid)
    if not store_.remove_hold(db, study_uid):
        raise NotOnHold("The study is not under legal hold.", study=study_uid)
    audit.record(db, "archive.hold", by=by, on=study_uid, held=False)


def hold_of(db: Db, study_uid: str) -> Hold | None:
    """Return the legal hold of a study."""
    row = store_.hold_of(db, study_uid)
    return Hold(row["by_name"], row["at"], row["reason"]) if row else None


def _require_study(db: Db, study_uid: str) -> None:
    if store_.lock_study(db, study_uid) is None:
        raise StudyNotHeld(f"No study {study_uid} is held.", study=study_uid)


Basis: TypeAlias = Literal["received", "used", "study-date"]


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """Which studies are kept how long; `basis` is what the days count from, `action` trash or propose."""

    name: str
    keep_days: int
    enabled: bool = True
    modality: str = ""
    label: str = ""
    basis: str = "received"
    action: str = "propose"

    def until(self, received: datetime, used: datetime | None, date: str) -> datetime | None:
        """Return until when a study is kept, None where that cannot be said."""
        if self.basis == "study-date":
            began = _moment(date)
        else:
            began = max(received, used) if self.basis == "used" and used else received
        return began + timedelta(days=self.keep_days) if began else None

    def is_about(self, modalities: Sequence[str], labels: Sequence[str]) -> bool:
        """Say whether it is about a study of these modalities and labels."""
        return (
            self.enabled
            and (not self.modality or self.modality in modalities)
            and (not self.label or self.label in labels)
        )


def _moment(date: str) -> datetime | None:
    try:
        return datetime.strptime(date, "%Y%m%d").replace(tzinfo=UTC)
    except ValueError:
        return None


def build_retention(name: str, body: dict[str, Any]) -> RetentionRule:
    """Return a rule from data, or refuse."""
    try:
        rule = RetentionRule(name, **body)
    except TypeError:
        raise BadRule(f"The rule {name[:64]!r} has a field that no rule has, or lacks keep_days.") from None
    if not name or len(name) > 64 or not isinstance(rule.keep_days, int) or rule.keep_days < 1:
        raise BadRule(f"The rule {name[:64]!r} needs a name and keep_days, a whole number of days.")
    if rule.basis not in {"received", "used", "study-date"} or rule.action not in {"trash", "propose"}:
        raise BadRule(f"The rule {name}: basis is received, used or study-date; action trash or propose.")
    return rule


def retention_rules(db: Db) -> tuple[RetentionRule, ...]:
    """Return the retention rules, in order: the first that is about a study counts."""
    rows = store_.rules_of(db, KIND)
    return tuple(build_retention(row["name"], row["body"] | {"enabled": row["enabled"]}) for row in rows)


@dataclass(frozen=True, slots=True)
class Retention:
    """Until when a study is kept, and by which rule."""

    until: datetime
    rule: str
    action: str


def retention_of(
    db: Db, study_uid: str, *, modalities: Sequence[str], received: datetime, date: str
) -> Retention | None:
    """Return until when a study is kept, None without a rule for it."""
    labels = store_.labels_of(db, [study_uid]).get(study_uid, [])
    for rule in retention_rules(db):
        if rule.is_about(modalities, labels):
            used = last_used(db, study_uid) if rule.basis == "used" else None
            until = rule.until(received, used, date)
            return Retention(until, rule.name, rule.action) if until else None
    return None


def last_used(db: Db, study_uid: str) -> datetime | None:
    """Return when somebody last looked at a study: the audit trail knows."""
    entries = audit.trail(db, on=study_uid, limit=20)
    return next((e.at for e in entries if e.act in {"archive.read", "study.open"}), None)


def find_expired(db: Db, now: datetime, *, limit: int = 500) -> list[tuple[str, RetentionRule]]:
    """Return studies that are kept no longer, with the rule that says so; none under legal hold."""
    rules = retention_rules(db)
    found: dict[str, RetentionRule] = {}
    for rule in rules:
        after = ""
        while len(found) < limit and (page := _candidates(db, rule, now, after)):
            held = store_.study_facts(db, [uid for uid, _ in page])
            for uid, received in page:
                modalities, date, labels = held[uid]
                first = next((r for r in rules if r.is_about(modalities, labels)), None)
                used = last_used(db, uid) if rule.basis == "used" else None
                until = rule.until(received, used, date)
                if first == rule and until is not None and until <= now:
                    found[uid] = rule
            after = page[-1][0]
    return list(found.items())[:limit]


def _candidates(db: Db, rule: RetentionRule, now: datetime, after: str) -> list[tuple[str, datetime]]:
    if not rule.enabled:
        return []
    before = now - timedelta(days=rule.keep_days)
    return store_.retention_page(
        db,
        modality=rule.modality,
        label=rule.label,
        received_before=None if rule.basis == "study-date" else before,
        study_before=before.strftime("%Y%m%d") if rule.basis == "study-date" else "",
        after=after,
        limit=200,
    )


def apply_retention(store: Store, now: datetime, *, by: access.Person) -> int:
    """Put in the trash what retention rules say, each study in a transaction of its own; return how many."""
    access.require(by, "job.run")
    with store.database.reading() as db:
        expired = [(uid, rule) for uid, rule in find_expired(db, now) if rule.action == "trash"]
    for uid, rule in expired:
        with store.database.transaction() as db:
            act = Act(TRASHED, by, code="113039", note=f"Retention rule {rule.name}",
                      purge_after=now + timedelta(days=store.settings.trash_days))  # fmt: skip
            withhold(db, uid, act)
            audit.record(db, "archive.retain", by=by, on=uid, rule=rule.name)
    return len(expired)


def empty_trash(db: Db, *, by: access.Person) -> int:
    """Have all that is in the trash purged as soon as can be; return how many objects."""
    access.require(by, "archive.delete")
    due = store_.make_due(db, clock.now())
    audit.record(db, "archive.empty-trash", by=by, on="archive", instances=due)
    return due


def purge(store: Store, now: datetime, *, by: access.Person) -> int:
    """Remove for good what has been in the trash long enough; return how many objects.

    A kill at any moment is made good by the next purge: what it had begun with is still marked.
    """
    access.require(by, "job.run")
    purged = 0
    while count := _purge_some(store, now, by):
        purged += count
    return purged


def _purge_some(store: Store, now: datetime, by: access.Person) -> int:
    with store.database.transaction() as db:
        due = [row for row in store_.due_to_purge(db, now, PURGED_AT_ONCE) if _may_go(row, now)]
        ids, keys = [row["id"] for row in due], [row["blob"] for row in due]
        store_.mark_purging(db, ids, now)
        used = store_.blobs_in_use(db, keys, ids)
    if not due:
        return 0
    for key in sorted(set(keys) - used):
        store.blobs.delete(key)
    with store.database.transaction() as db:
        store_.forget_purged(db, ids, sorted(set(keys) - used), [row["study"] for row in due])
        audit.record(db, "archive.purge", by=by, on="archive", instances=len(due))
    return len(due)


def _may_go(row: dict[str, Any], now: datetime) -> bool:
    """Say whether bytes are old enough to go: their key tells the hour in which they came."""
    if row["purging_at"] is not None:
        return True
    parts = row["blob"].split("/")
    try:
        came = datetime.strptime("".join(parts[1:3]), "%Y%m%d%H").replace(tzinfo=UTC)
    except ValueError:
        return True
    return came + YOUNG <= now


_usage: dict[str, tuple[float, float, int]] = {}
_usage_lock = threading.Lock()


def parsed_size(item: Incoming) -> int:
    """Return how many bytes an object has that wants to come in."""
    content = item.content
    try:
        return content.stat().st_size if isinstance(content, Path) else len(content)
    except OSError:
        return 0


def require_room(store: Store, size: int = 0) -> None:
    """Refuse what does not fit into the quota; without a quota this costs nothing.

    What is used is counted every few seconds (less often, the longer counting takes), and what comes in
    between is added.

    Raises
    ------
    ObjectRefused
        With the reason ``quota``.
    """
    quota = store.settings.quota_gib
    if quota is None:
        return
    key = str(store.database.engine.url)
    with _usage_lock:
        due, _, used = _usage.get(key, (0.0, 0.0, 0))
        now = time.monotonic()
        if now >= due:
            with store.database.reading() as db:
                used = store_.used_bytes(db)
            took = time.monotonic() - now
            due = now + max(LEAST_KEPT_S, 100 * took)
        if used + size > quota * GIB:
            _usage[key] = due, now, used
            raise ObjectRefused(
                "quota",
                f"The archive holds as much as it may ({quota} GiB); nothing was stored. Make room, empty "
                "the trash or raise SIGHTLINE_ARCHIVE_QUOTA_GIB, and send it again.",
            )
        _usage[key] = due, now, used + size


def forget_usage() -> None:
    """Have what is used counted again."""
    _usage.clear()


_totals: dict[str, tuple[float, dict[str, Any]]] = {}


def storage_of(store: Store, *, by: access.Person) -> dict[str, Any]:
    """Return what is stored, where, and how much room is left; counted anew when the last count is old."""
    access.require(by, "archive.read")
    key = str(store.database.engine.url)
    now = time.monotonic()
    due, counted = _totals.get(key, (0.0, {}))
    if now >= due:
        with store.database.reading() as db:
            counted = store_.totals(db)
        took = time.monotonic() - now
        _totals[key] = now + (100 * took if took > 0.05 else 0.0), counted
    disk = None
    if isinstance(store.blobs, LocalBlobs):
        usage = shutil.disk_usage(store.blobs.scratch())
        disk = {"total": usage.total, "free": usage.free}
    quota = store.settings.quota_gib
    used = counted["bytes"] + counted["trash"]["bytes"] + counted["rejected"]["bytes"]
    limit = None if quota is None else int(quota * GIB)
    return counted | {"disk": disk, "quota": {"bytes": limit, "used": used}}
