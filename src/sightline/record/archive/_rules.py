"""The rules of the archive as data: what is coerced at the door, and how long studies are kept."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sightline.record.archive import _coercion as coercion
from sightline.record.archive import _keeping as keeping
from sightline.record.archive import _store as store_
from sightline.record.archive._coercion import BadRule, CoercionRule, build_rule, forget_rules
from sightline.record.archive._keeping import RetentionRule, build_retention, retention_rules
from sightline.runtime.db import Db
from sightline.trust import access, audit

audit.declare("archive.rules", "The rules of coercion and retention were changed")

MOST_RULES = 200


def find_rules(db: Db, *, by: access.Person) -> tuple[tuple[CoercionRule, ...], tuple[RetentionRule, ...]]:
    """Return the rules of coercion and of retention, in the order in which they are asked."""
    access.require(by, "archive.read")
    rows = store_.rules_of(db, coercion.KIND)
    made = (build_rule(row["name"], row["body"] | {"enabled": row["enabled"]}) for row in rows)
    return tuple(made), retention_rules(db)


def replace_rules(
    db: Db,
    *,
    coercions: Sequence[Mapping[str, Any]],
    retentions: Sequence[Mapping[str, Any]],
    by: access.Person,
) -> None:
    """Put rules in place of those in force; one that cannot be refuses all."""
    access.require(by, "archive.correct")
    access.require(by, "archive.delete")
    if max(len(coercions), len(retentions)) > MOST_RULES:
        raise BadRule(f"At most {MOST_RULES} rules of a kind are kept.")
    store_.replace_rules(db, coercion.KIND, _rows([build_rule(*_named(body)) for body in coercions]))
    store_.replace_rules(db, keeping.KIND, _rows([build_retention(*_named(body)) for body in retentions]))
    forget_rules()
    audit.record(
        db, "archive.rules", by=by, on="archive",
        coercions=[str(body.get("name")) for body in coercions],
        retentions=[str(body.get("name")) for body in retentions],
    )  # fmt: skip


def _named(body: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    return str(body.get("name") or ""), {k: v for k, v in body.items() if k != "name"}


def _rows(rules: Sequence[CoercionRule | RetentionRule]) -> list[dict[str, Any]]:
    names = [rule.name for rule in rules]
    if len(set(names)) < len(names):
        raise BadRule("Two rules have the same name; rename one of them.")
    return [
        {
            "name": rule.name,
            "enabled": rule.enabled,
            "body": {k: v for k, v in asdict(rule).items() if k not in {"name", "enabled"}},
        }
        for rule in rules
    ]
