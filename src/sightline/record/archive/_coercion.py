"""Coercion at the door: what one sender always gets wrong is set right by a rule, and said to have been.

The bytes stay as received; a rule only says how the object is indexed and given out.
"""

import json
import threading
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any

from pydicom.charset import python_encoding

from sightline.kernel.errors import Invalid
from sightline.record.archive import _store as store_
from sightline.record.archive._editing import (
    IDENTITY,
    PATIENT,
    SERIES,
    STUDY,
    changes_of,
    element_of,
    text_of,
)
from sightline.record.archive._model import Attributes, Source
from sightline.record.archive._overlay import CHARACTER_SET, PRIVATE, Overlay, apply_overlay
from sightline.record.archive._parse import Facts, Parsed, patient_of, series_of, study_of
from sightline.runtime.db import Database

KIND = "coercion"
KEPT_S = 2.0


class BadRule(Invalid):
    """A rule cannot be kept as it is; the message names the rule and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class CoercionRule:
    """When a rule holds, and what it does; `source` is a pattern with ``*``, empty fields ask nothing."""

    name: str
    enabled: bool = True
    kind: str = ""
    source: str = ""
    modality: str = ""
    character_set: str = ""
    patient_id_prefix: str = ""
    issuer: str = ""
    remove_private: bool = False
    fixed: dict[str, str | None] = field(default_factory=dict)

    def holds(self, modality: str, source: Source) -> bool:
        """Say whether it is for an object of this modality from this source."""
        return (
            self.enabled
            and self.kind in {"", source.kind}
            and self.modality in {"", modality}
            and (not self.source or fnmatchcase(source.name, self.source))
        )

    def overlay(self, attributes: Attributes) -> Overlay:
        """Return what it changes of an object."""
        changes: Overlay = {}
        if self.remove_private:
            changes[PRIVATE] = None
        if self.character_set and "Value" not in attributes.get(CHARACTER_SET, {}):
            changes[CHARACTER_SET] = {"vr": "CS", "Value": self.character_set.split("\\")}
        patient_id = text_of(attributes.get("00100020"))
        if self.patient_id_prefix and patient_id and not patient_id.startswith(self.patient_id_prefix):
            changes["00100020"] = {"vr": "LO", "Value": [f"{self.patient_id_prefix}{patient_id}"[:64]]}
        if self.issuer and patient_id and not text_of(attributes.get("00100021")):
            changes["00100021"] = {"vr": "LO", "Value": [self.issuer]}
        wanted = changes_of(self.fixed, (*PATIENT, *STUDY, *SERIES, *IDENTITY))
        changes |= {tag: element for tag, element in wanted.items() if attributes.get(tag) != element}
        return changes


def coerce(attributes: Attributes, source: Source, rules: Sequence[CoercionRule]) -> Overlay | None:
    """Return what the rules change of an object that comes in, None when nothing; each sees those before it.

    The object is to be indexed as ``apply_overlay(attributes, overlay)``.
    """
    overlay: Overlay = {}
    shown = attributes
    modality = text_of(attributes.get("00080060")) or ""
    for rule in rules:
        if rule.holds(modality, source):
            changes = rule.overlay(shown)
            overlay |= changes
            shown = apply_overlay(shown, changes)
    return overlay or None


def coerced(parsed: Parsed, source: Source, rules: Sequence[CoercionRule]) -> Parsed:
    """Return what was read of an object as the rules have it; without rules this costs nothing."""
    if not rules:
        return parsed
    attributes = json.loads(zlib.decompress(parsed.instance["metadata_gz"]))
    overlay = coerce(attributes, source, rules)
    if overlay is None:
        return parsed
    facts = Facts(apply_overlay(attributes, overlay))
    return replace(
        parsed,
        patient=patient_of(facts, parsed.study_uid),
        study=study_of(facts),
        series=series_of(facts),
        overlay=overlay,
    )


def build_rule(name: str, body: dict[str, Any]) -> CoercionRule:
    """Return a rule from data, refusing what could not be done when an object comes."""
    try:
        rule = CoercionRule(name, **body)
    except TypeError:
        raise BadRule(f"The rule {name} has a field that no rule has, or one of the wrong kind.") from None
    texts = (rule.kind, rule.source, rule.modality, rule.character_set, rule.patient_id_prefix, rule.issuer)
    if not name or len(name) > 64 or not all(isinstance(t, str) and len(t) <= 64 for t in texts):
        raise BadRule(f"The rule {name[:64]!r}: names and conditions are texts of at most 64 characters.")
    if any(part not in python_encoding for part in filter(None, rule.character_set.split("\\"))):
        raise BadRule(f"The rule {name} names a character set that DICOM does not define (PS3.3 C.12.1.1.2).")
    if rule.patient_id_prefix:
        element_of("PatientID", rule.patient_id_prefix)
    if rule.issuer:
        element_of("IssuerOfPatientID", rule.issuer)
    changes_of(rule.fixed, (*PATIENT, *STUDY, *SERIES, *IDENTITY))
    return rule


_known: dict[str, tuple[float, tuple[CoercionRule, ...]]] = {}
_lock = threading.Lock()


def coercion_rules(database: Database) -> tuple[CoercionRule, ...]:
    """Return the rules in force, as they were at most two seconds ago: asked for every object that comes."""
    key = str(database.engine.url)
    now = time.monotonic()
    found = _known.get(key)
    if found is not None and now - found[0] < KEPT_S:
        return found[1]
    with _lock, database.reading() as db:
        rules = tuple(
            build_rule(row["name"], row["body"] | {"enabled": True})
            for row in store_.rules_of(db, KIND)
            if row["enabled"]
        )
        _known[key] = now, rules
    return rules


def forget_rules() -> None:
    """Have the rules read again: they were changed."""
    _known.clear()
