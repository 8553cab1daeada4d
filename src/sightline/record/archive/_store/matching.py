"""The one search: keys of any level become one statement that reads an index in order, or a short list.

Cost must not grow with the archive. A *source* gives (date, study) pairs. Either it is read newest first
and tested row by row until the page is full, which is quick when much matches; or what a selective key
matches is gathered and sorted, which is quick when little does. Which of the two is found by counting the
selective keys' matches up to a limit first.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import FromClause, Select, and_, exists, func, literal, or_, select, tuple_

from sightline.record.archive._matching import (
    Empty,
    Level,
    Match,
    Range,
    Single,
    UidList,
    Wildcard,
)
from sightline.record.archive._store.asking import (
    COUNTED,
    DATE,
    DATED,
    NEAR,
    TESTED,
    TIME,
    WALKED,
    Asked,
    Asking,
    in_byte_order,
    text_of,
    texts_of,
)
from sightline.record.archive._store.attributes import (
    attribute_values,
    study_classes,
    study_counts,
    study_terms,
)
from sightline.record.archive._store.custody import study_labels
from sightline.record.archive._store.keys import (
    KEYS,
    REQUEST_KEYS,
    REQUEST_SEQUENCE,
    Condition,
    ends_of,
    glob,
    is_prefix,
    matches_date,
    matches_groups,
    matches_moment,
    matches_norm,
    matches_text,
    matches_time,
    stem_of,
)
from sightline.record.archive._store.tables import instances, patients, series, studies, study_modalities

_LAST = 2**31 - 1
_DESCRIPTION = "00081030"
_PATIENT_NAME, _REFERRING = "00100010", "00080090"
_MODALITY, _MODALITIES, _SOP_CLASS, _CLASSES = "00080060", "00080061", "00080016", "00080062"


@dataclass(slots=True)
class Source:
    """What gives (date, study) pairs; `fixed` are the tags it has dealt with already."""

    table: FromClause
    date: Any
    study: Any
    where: list[Condition] = field(default_factory=list)
    hint: str = ""
    fixed: frozenset[str] = frozenset()
    gathered: bool = False
    repeats: bool = False


class StudySearch(Asking):
    """A query for studies, or series or instances in them, on its way to SQL."""

    # Pages and counts

    def page(self, limit: int, offset: int, after: Sequence[str] | None) -> list[Any]:
        """Return the UIDs, and what orders them, of one page of matches."""
        self._plan_for_values()
        self._after = after
        statement = self._objects(after)
        return list(self.db.execute(statement.limit(limit).offset(offset)))

    def count(self, most: int | None) -> int:
        """Return how many match, at most `most`."""
        self._plan_for_values()
        if (by_day := self._counted_by_day()) is not None:
            return by_day if most is None else min(by_day, most)
        self._most = COUNTED
        statement = self._objects(None)
        statement = statement.order_by(None)
        if most is not None:
            statement = statement.limit(most)
        counted: int = self.db.execute(select(func.count()).select_from(statement.subquery())).scalar_one()
        return counted

    def _counted_by_day(self) -> int | None:
        """Return how many match when nothing but days and a modality are asked for: the sum of their days."""
        tags = self.by_tag.keys() - {DATE}
        kind = self._of_kind() if tags else None
        if self.query.level != "study" or self.query.labels or (kind is None and tags):
            return None
        if tags and not (kind is not None and kind.table is study_modalities and tags == kind.fixed):
            return None
        return self._of_days(self._single(next(iter(tags))) or "" if tags else "")

    def _objects(self, after: Sequence[str] | None) -> Select[Any]:
        source = self._source()
        level = self.query.level
        columns = [source.date.label("date"), source.study.label("study")]
        tables: FromClause = source.table
        order: list[Any] = [source.date.desc(), source.study.desc()]
        where = [*source.where, *self._study_conditions(source)]
        below: list[Any] = []
        if level in {"series", "instance"}:
            tables = tables.join(series, series.c.study == source.study)
            number = func.coalesce(series.c.number, _LAST)
            columns += [number.label("series_number"), series.c.uid.label("series")]
            below += [number, series.c.uid]
            where += self._conditions("series", source, series.c.uid)
        if level == "instance":
            tables = tables.join(instances, instances.c.series == series.c.uid)
            number = func.coalesce(instances.c.number, _LAST)
            columns += [number.label("number"), instances.c.sop_uid.label("instance")]
            below += [number, instances.c.sop_uid]
            where += self._conditions("instance", source, series.c.uid, instances.c.sop_uid)
        where += self._lower(source)
        if after:
            where.append(_beyond(source, below, after))
        wanted = select(*columns).select_from(tables).where(*where)
        if source.hint and self.db.dialect.name == "sqlite":
            wanted = wanted.with_hint(source.table, f"INDEXED BY {source.hint}", "sqlite")
        if level != "study" and not source.gathered and self.db.dialect.name == "sqlite":
            wanted = wanted.with_hint(series, "INDEXED BY ix_series_study", "sqlite")
        if source.repeats:
            wanted = wanted.distinct()
        if source.gathered and level == "study" and self.db.dialect.name == "sqlite":
            return wanted  # read as it was put down, and no further than the page needs
        return wanted.order_by(*order, *below)

    # Where to begin

    def _source(self) -> Source:
        for find in (self._by_uid, self._by_accession, self._by_equality, self._by_selective):
            if (found := find()) is not None:
                return self._dated(found)
        return self._dated(self._newest())

    def _dated(self, source: Source) -> Source:
        """Bound the source by the dates asked for: its index is in their order."""
        source.where += self._dates(source.date)
        if self._after and not source.gathered:  # where to go on in the index, said so that it is seen
            source.where.append(source.date <= self._after[0])
        if not self._is_combined(DATE):
            source.fixed |= {DATE}
        return source

    def _dates(self, date: Any) -> list[Condition]:
        """Return what is asked of the date alone; with a time combined, no less than that."""
        asked = self.by_tag.get(DATE)
        if asked is None:
            return []
        if not self._is_combined(DATE):
            match = asked.match
            if self._after and isinstance(match, Range) and self._after[0] < match.high:
                match = Range(match.low, self._after[0])  # of two ends SQLite would heed the first
            return [matches_date(date, match)]
        low, high = ends_of(asked.match)
        return [*([date >= low] if low else []), *([date <= high + "~"] if high else [])]

    def _gather(self, pairs: Select[Any], *fixed: str) -> Source:
        # First all, then each once: asked for both in one, SQLite would walk the whole index in order.
        every = pairs.cte("every").prefix_with("MATERIALIZED")
        c = every.c
        newest_first = select(c.date, c.study).distinct().order_by(c.date.desc(), c.study.desc())
        gathered = newest_first.cte("gathered").prefix_with("MATERIALIZED")
        c = gathered.c
        return Source(gathered, c.date, c.study, fixed=frozenset(fixed), gathered=True)

    def _by_uid(self) -> Source | None:
        c = studies.c
        pairs = select(c.date, c.uid.label("study"))
        for tag, column in (("0020000D", None), ("0020000E", series.c), ("00080018", instances.c)):
            match = self.by_tag[tag].match if tag in self.by_tag else None
            if not isinstance(match, Single | UidList):
                continue
            if column is None:
                return self._gather(pairs.where(matches_text(self.db, c.uid, match, "UI")), tag)
            key = KEYS[tag].column
            held = select(column.study).where(matches_text(self.db, key, match, "UI"))
            return self._gather(pairs.where(c.uid.in_(held)))
        return None

    def _by_accession(self) -> Source | None:
        match = self.by_tag["00080050"].match if "00080050" in self.by_tag else None
        if not isinstance(match, Single):
            return None
        c = studies.c
        return self._gather(
            select(c.date, c.uid.label("study")).where(c.accession == match.value), "00080050"
        )

    def _by_equality(self) -> Source | None:
        """Return an index that holds one value's studies in order, where one is asked for."""
        c = studies.c
        equal = (("00100020", "patient_id"), ("00100030", "birth_date"))
        for tag, column in equal:
            match = self.by_tag[tag].match if tag in self.by_tag else None
            if isinstance(match, Single) and (tag != "00100030" or len(match.value) == 8):
                condition = c[column] == match.value
                return Source(
                    studies, c.date, c.uid, [condition], f"ix_studies_{column}_newest", frozenset({tag})
                )
        return None

    def _by_selective(self) -> Source | None:
        """Return what a selective key matches, where one matches few enough to be gathered."""
        times = max(DATED if DATE in self.by_tag else 1, NEAR if self.query.fuzzy else 1)
        for tag, pairs in self._selective():
            if self._is_few(pairs, times):
                # The date is tested, not looked up: SQLite would take the index in order of it instead.
                date = pairs.selected_columns.date.op("||")("")
                return self._gather(pairs.where(*self._dates(date)), tag)
        return None

    def _selective(self) -> Iterable[tuple[str, Select[Any]]]:
        """Yield statements of (date, study) pairs that a key alone matches; what it says is exact or more."""
        t, c, v, b = study_terms.c, studies.c, attribute_values.c, study_labels.c
        for label in self.query.labels:
            labelled = study_labels.join(studies, c.uid == b.study)
            yield "", select(c.date, b.study).select_from(labelled).where(b.label == label)
        for tag in (_PATIENT_NAME, _REFERRING, _DESCRIPTION):
            if tag in self.by_tag:
                for condition in self._norms(tag, t.norm):
                    exact = tag if tag != _DESCRIPTION and not self._is_grouped(tag) else ""
                    yield exact, select(t.date, t.study).where(t.tag == tag, condition)
        for asked in self._valued():
            yield "", select(v.date, v.study).where(v.tag == asked.key.tag, self._value_norm(asked))
        for tag in ("00100020", "00080050", "00200010"):
            match = self.by_tag[tag].match if tag in self.by_tag else None
            column = KEYS[tag].column
            if isinstance(match, UidList):
                yield tag, select(c.date, c.uid.label("study")).where(matches_text(self.db, column, match))
            elif isinstance(match, Wildcard) and (stem := stem_of(match.pattern)):
                condition = and_(
                    is_prefix(in_byte_order(self.db, column), stem), glob(self.db, column, match.pattern)
                )
                yield tag, select(c.date, c.uid.label("study")).where(condition)
        if isinstance(dates := self.by_tag.get("00400244"), Asked):
            performed = series.join(studies, studies.c.uid == series.c.study)
            condition = matches_date(series.c.performed_date, dates.match)
            yield "", select(c.date, c.uid.label("study")).select_from(performed).where(condition)

    def _newest(self) -> Source:
        """Return what is walked newest first: the studies of a modality or class, those of a name, or all."""
        c = studies.c
        study_id = self._single("00200010")
        if study_id is not None:
            found = [c.study_id == study_id]
            hint = "ix_studies_study_id_newest"
            return Source(studies, c.date, c.uid, found, hint, frozenset({"00200010"}))
        kind = self._of_kind()
        name = next((tag for tag in (_PATIENT_NAME, _REFERRING) if self._is_walkable(tag)), "")
        if name and (kind is None or not self._is_rare(kind)):
            return self._of_name(name)
        return kind or Source(studies, c.date, c.uid, [], "ix_studies_newest")

    def _of_kind(self) -> Source | None:
        """Return the studies of one modality, or of one SOP class."""
        m, k = study_modalities.c, study_classes.c
        for tag in (_MODALITIES, _MODALITY):
            if (value := self._single(tag)) is not None:
                is_all = tag == _MODALITIES or self._is_modality_alone()
                fixed = frozenset({tag} if is_all else ())
                return Source(study_modalities, m.date, m.study, [m.modality == value], "", fixed)
        for tag in (_CLASSES, _SOP_CLASS):
            if (value := self._single(tag)) is not None:
                fixed = frozenset({_CLASSES} & {tag})
                return Source(study_classes, k.date, k.study, [k.sop_class == value], "", fixed)
        return None

    def _is_rare(self, kind: Source) -> bool:
        """Say whether the studies of a kind are sooner walked through than those of a name."""
        if kind.table is study_modalities:
            modality = self._single(_MODALITIES) or self._single(_MODALITY) or ""
            return self._of_days(modality) * TESTED <= self._of_days("")
        pairs = select(kind.study).where(*kind.where, *self._dates(kind.date))
        few = select(func.count()).select_from(pairs.limit(WALKED + 1).subquery())
        return bool(self.db.execute(few).scalar_one() <= WALKED)

    def _of_days(self, modality: str) -> int:
        """Return how many studies of a modality, or of any, the days asked for have."""
        n = study_counts.c
        wanted = select(func.sum(n.studies)).where(n.modality == modality, *self._dates(n.date))
        return int(self.db.scalar(wanted) or 0)

    def _is_walkable(self, tag: str) -> bool:
        asked = self.by_tag.get(tag)
        return asked is not None and not isinstance(asked.match, Empty) and not self._is_grouped(tag)

    def _of_name(self, tag: str) -> Source:
        """Return the studies of a name, read from the terms in the order of their dates."""
        t, asked = study_terms.c, self.by_tag[tag]
        if self._is_fuzzy(asked):
            like = self._near(tag, t.norm, text_of(asked.match))
        else:
            like = [matches_norm(self.db, t.norm, asked.match, name=True)]
        hint, fixed = "ix_study_terms_newest", frozenset({tag})
        # Two groups of one name may match: each study comes once.
        return Source(study_terms, t.date, t.study, [t.tag == tag, *like], hint, fixed, repeats=True)

    def _is_modality_alone(self) -> bool:
        """Say whether nothing but a modality is asked of the series of studies: their own table knows it."""
        below = [a for a in self.asked if a.key.level in {"series", "instance"}]
        return self.query.level == "study" and [a.key.tag for a in below] == [_MODALITY]

    # What a source's studies must satisfy

    def _study_conditions(self, source: Source) -> list[Condition]:
        """Return what is asked of studies and their patients and not dealt with by the source."""
        found: list[Condition] = []
        own: list[Condition] = []
        issued: list[Condition] = []
        for asked in self.asked:
            if asked.key.tag in source.fixed or asked.key.level not in {"patient", "study"}:
                continue
            match asked.key.kind:
                case "name":
                    condition, needs_study = self._name(asked, source)
                    (own if needs_study else found).append(condition)
                case "modality":
                    found.append(self._modalities(asked.match, source))
                case "class":
                    found.append(self._classes(asked.match, source))
                case "value":
                    found.append(self._values(asked, source))
                case _ if asked.key.tag == "00100021":
                    issued.append(matches_text(self.db, patients.c.issuer, asked.match))
                case _:
                    if not self._is_combined(asked.key.tag):
                        own.append(self._plain(asked))
        if self._is_combined(DATE):
            dates, times = self.by_tag[DATE].match, self.by_tag[TIME].match
            own.append(matches_moment(studies.c.date, studies.c.time, dates, times))
        if _MODALITY in self.by_tag and self._is_modality_alone() and _MODALITY not in source.fixed:
            found.append(self._modalities(self.by_tag[_MODALITY].match, source))
        if self.query.labels:
            found += [_labelled(label, source) for label in self.query.labels]
        if issued:
            own.append(exists().where(patients.c.id == studies.c.patient, *issued))
        if own and source.table is not studies:
            own = [exists().where(studies.c.uid == source.study, *own)]
        return found + own

    def _name(self, asked: Asked, source: Source) -> tuple[Condition, bool]:
        """Return what is asked of a name, and whether it is asked of the study's own row."""
        column = asked.key.column
        if isinstance(asked.match, Empty):
            return or_(column == "", column.is_(None)), True
        if self._is_grouped(asked.key.tag):
            return matches_groups(self.db, column, asked.match), True
        held = study_terms.alias("held")
        t = held.c
        here = (
            select(t.tag)
            .where(t.tag == asked.key.tag, t.date == source.date, t.study == source.study)
            .with_hint(held, "INDEXED BY ix_study_terms_newest", "sqlite")
        )
        if self._is_fuzzy(asked):
            return here.where(*self._near(asked.key.tag, t.norm, text_of(asked.match))).exists(), False
        return here.where(matches_norm(self.db, t.norm, asked.match, name=True)).exists(), False

    def _modalities(self, match: Match, source: Source) -> Condition:
        m = study_modalities.alias("of_study").c
        here = exists().where(m.study == source.study, m.date == source.date)
        if isinstance(match, Empty):
            return ~here
        return here.where(matches_text(self.db, m.modality, match, "CS"))

    def _classes(self, match: Match, source: Source) -> Condition:
        k = study_classes.alias("of_study").c
        here = exists().where(k.study == source.study)
        return (
            ~here if isinstance(match, Empty) else here.where(matches_text(self.db, k.sop_class, match, "UI"))
        )

    # What is asked of what is below the level

    def _conditions(
        self, level: Level, source: Source, series_uid: Any, instance_uid: Any = None
    ) -> list[Condition]:
        """Return what is asked of a level's own attributes."""
        found = []
        for asked in self.asked:
            if asked.key.level != level:
                continue
            if asked.key.kind != "value":
                found.append(self._plain(asked))
            elif asked.key.tag not in REQUEST_KEYS:
                found.append(self._values(asked, source, series_uid, instance_uid))
        if level == "series" and any(tag in self.by_tag for tag in REQUEST_KEYS):
            found.append(self._requested(source, series_uid))
        return found

    def _lower(self, source: Source) -> list[Condition]:
        """Return what is asked of levels below: that there is a series, an instance, of which it is true."""
        level = self.query.level
        if level == "instance":
            return []
        of_series = (
            []
            if level == "series" or self._is_modality_alone()
            else self._conditions("series", source, series.c.uid)
        )
        of_instance = self._conditions("instance", source, instances.c.series, instances.c.sop_uid)
        if not of_series and not of_instance:
            return []
        if not of_series:
            home = (
                instances.c.series == series.c.uid if level == "series" else instances.c.study == source.study
            )
            return [exists().where(home, *of_instance)]
        if of_instance:
            of_series.append(exists().where(instances.c.series == series.c.uid, *of_instance))
        return [exists().where(series.c.study == source.study, *of_series)]

    # Further attributes

    def _valued(self) -> list[Asked]:
        return [
            a
            for a in self.asked
            if a.key.kind == "value" and isinstance(a.match, Single | Wildcard | UidList)
        ]

    def _value_norm(self, asked: Asked) -> Condition:
        return matches_norm(self.db, attribute_values.c.norm, asked.match, name=asked.key.vr == "PN")

    def _values(
        self, asked: Asked, source: Source, series_uid: Any = None, instance_uid: Any = None
    ) -> Condition:
        """Return that a further attribute has a value that matches, on the level's object."""
        v, key, match = attribute_values.c, asked.key, asked.match
        here = exists().where(v.tag == key.tag, v.study == source.study)
        if key.level in {"series", "instance"}:
            here = here.where(v.series == series_uid)
        if key.level == "instance":
            here = here.where(v.instance == instance_uid)
        if isinstance(match, Empty):
            return ~here
        if key.vr == "PN":
            return here.where(self._value_norm(asked))
        if key.vr == "TM":
            return here.where(matches_time(v.value, match))
        if key.vr in {"DA", "DT"}:
            return here.where(matches_date(v.value, match))
        return here.where(matches_text(self.db, v.value, match, key.vr))

    def _requested(self, source: Source, series_uid: Any) -> Condition:
        """Return that one item of the request attributes matches all that is asked of it (C.2.2.2.6)."""
        asked = [self.by_tag.get(tag) for tag in REQUEST_KEYS]
        given = [a for a in asked if a is not None]
        if len(given) == 1:
            return self._values(given[0], source, series_uid)
        v = attribute_values.c
        none = [a for a in given if isinstance(a.match, Empty)]
        if none:
            return and_(*(self._values(a, source, series_uid) for a in given))
        patterns = [
            f"{first}\\{second}" for first in texts_of(given[0].match) for second in texts_of(given[1].match)
        ]
        here = exists().where(v.tag == REQUEST_SEQUENCE, v.study == source.study, v.series == series_uid)
        return here.where(matches_text(self.db, v.value, UidList(tuple(patterns)), "LO"))


def _beyond(source: Source, below: Sequence[Any], after: Sequence[str]) -> Condition:
    """Return what comes after a key: studies newest first, inside them by number and UID."""
    date, study, *rest = after
    if not below:
        return tuple_(source.date, source.study) < tuple_(literal(date), literal(study))
    inside = tuple_(*below) > tuple_(*(literal(int(v) if n % 2 == 0 else v) for n, v in enumerate(rest)))
    return and_(
        tuple_(source.date, source.study) <= tuple_(literal(date), literal(study)),
        or_(source.date != date, source.study != study, inside),
    )


def _labelled(label: str, source: Source) -> Condition:
    """Return that the study bears a label."""
    c = study_labels.c
    return exists().where(c.study == source.study, c.label == label)
