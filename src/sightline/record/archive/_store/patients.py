"""The search for patients: by what is theirs, and by what is held of them."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import FromClause, Select, exists, select

from sightline.record.archive._matching import (
    Empty,
    Query,
    Range,
    Single,
    UidList,
    Wildcard,
)
from sightline.record.archive._store.asking import Asked, in_byte_order, text_of
from sightline.record.archive._store.attributes import (
    patient_names,
)
from sightline.record.archive._store.keys import (
    KEYS,
    Condition,
    glob,
    is_prefix,
    matches_date,
    matches_groups,
    matches_norm,
    matches_text,
    stem_of,
)
from sightline.record.archive._store.matching import Source, StudySearch
from sightline.record.archive._store.tables import patients, studies
from sightline.runtime.db import Db

_PATIENT_NAME = "00100010"
_PATIENT_COLUMNS = {
    "00100010": "name_norm",
    "00100020": "patient_id",
    "00100021": "issuer",
    "00100030": "birth_date",
    "00100040": "sex",
}


class PatientSearch(StudySearch):
    """A query for patients."""

    def _objects(self, after: Sequence[str] | None) -> Select[Any]:
        """Return the patients that match, by opaque id: whom a page holds then hangs on no key."""
        s = studies.c
        below = StudySearch(self.db, self._below())
        tables, id_, fixed = self._patient_source(below)
        own = exists().where(s.patient == id_)
        if below.asked or below.query.labels:
            walked = Source(studies, s.date, s.uid)
            own = own.where(*below._study_conditions(walked), *below._lower(walked))
        asked = self._patient_conditions(fixed)
        if asked and tables is not patients:
            asked = [exists().where(patients.c.id == id_, *asked)]
        wanted = select(id_).select_from(tables).where(*asked, own)
        if after:
            wanted = wanted.where(id_ > after[0])
        if tables is not patients and self.db.dialect.name == "sqlite":
            return wanted  # read as it was put down, and no further than the page needs
        return wanted.order_by(id_)

    def _below(self) -> Query:
        """Return what is asked of studies and what they hold."""
        of_patients = {tag for tag, key in KEYS.items() if key.level == "patient"}
        keys = {tag: match for tag, match in self.query.keys.items() if tag not in of_patients}
        return Query(
            "study",
            keys,
            labels=self.query.labels,
            combined_datetime=self.query.combined_datetime,
            fuzzy=self.query.fuzzy,
        )

    def _patient_source(self, below: StudySearch) -> tuple[FromClause, Any, str]:
        """Return the patients of a selective key, or all: where from, their id, and the key dealt with."""
        for tag, ids in self._selective_patients(below):
            if self._is_few(ids):
                every = ids.cte("every_patient").prefix_with("MATERIALIZED")
                each = select(every.c.id).distinct().order_by(every.c.id)
                gathered = each.cte("gathered_patients").prefix_with("MATERIALIZED")
                return gathered, gathered.c.id, tag
        return patients, patients.c.id, ""

    def _selective_patients(self, below: StudySearch) -> Iterable[tuple[str, Select[Any]]]:
        p, n = patients.c, patient_names.c
        for tag, column in (("00100020", p.patient_id), ("00100030", p.birth_date)):
            match = self.by_tag[tag].match if tag in self.by_tag else None
            if isinstance(match, Single | UidList) and tag == "00100020":
                yield tag, select(p.id).where(matches_text(self.db, column, match))
            elif isinstance(match, Wildcard) and (stem := stem_of(match.pattern)):
                condition = is_prefix(in_byte_order(self.db, column), stem)
                yield tag, select(p.id).where(condition, glob(self.db, column, match.pattern))
            elif tag == "00100030" and isinstance(match, Single | Range):
                yield tag, select(p.id).where(matches_date(column, match))
        if _PATIENT_NAME in self.by_tag:
            exact = "" if self._is_grouped(_PATIENT_NAME) else _PATIENT_NAME
            for condition in self._norms(_PATIENT_NAME, n.norm):
                yield exact, select(n.patient.label("id")).where(condition)
        if below.asked and (source := below._source()).gathered:
            held = studies.join(source.table, studies.c.uid == source.study)
            yield "", select(studies.c.patient.label("id")).select_from(held).where(*source.where)

    def _patient_conditions(self, fixed: str) -> list[Condition]:
        """Return what is asked of the patients' own row."""
        found: list[Condition] = []
        for asked in self.asked:
            tag, match = asked.key.tag, asked.match
            if asked.key.level != "patient" or tag == fixed:
                continue
            column = patients.c[_PATIENT_COLUMNS[tag]]
            if tag == _PATIENT_NAME:
                found.append(self._patient_name(asked))
            elif asked.key.kind == "date":
                found.append(matches_date(column, match))
            else:
                found.append(matches_text(self.db, column, match, asked.key.vr))
        return found

    def _patient_name(self, asked: Asked) -> Condition:
        if isinstance(asked.match, Empty):
            return patients.c.name_norm == ""
        if self._is_grouped(_PATIENT_NAME):
            return matches_groups(self.db, patients.c.name_norm, asked.match)
        n = patient_names.c
        here = exists().where(n.patient == patients.c.id)
        if self._is_fuzzy(asked):
            return here.where(*self._near(_PATIENT_NAME, n.norm, text_of(asked.match)))
        return here.where(matches_norm(self.db, n.norm, asked.match, name=True))


def search_of(db: Db, query: Query) -> StudySearch:
    """Return the search for what a query asks."""
    return PatientSearch(db, query) if query.level == "patient" else StudySearch(db, query)
