"""What a person types to find a study: parts of names, descriptions and ids, in any order."""

from collections.abc import Iterable, Sequence
from typing import Any, Literal, TypeAlias

from sqlalchemy import Select, and_, exists, or_, select

from sightline.record.archive._matching import Query
from sightline.record.archive._store.asking import in_byte_order
from sightline.record.archive._store.attributes import study_terms, term_words
from sightline.record.archive._store.custody import expectations, expected_instances, legal_holds
from sightline.record.archive._store.keys import Condition, Listed, glob, is_one_of, is_prefix
from sightline.record.archive._store.matching import Source, StudySearch
from sightline.record.archive._store.tables import instances, studies
from sightline.runtime.db import Db

State: TypeAlias = Literal["", "arriving", "incomplete", "held"]

_PATIENT_NAME, _DESCRIPTION = "00100010", "00081030"
_MOST_TOKENS = 8


class TextSearch(StudySearch):
    """A search in which each piece of a text must be found somewhere in a study, besides the query's keys.

    Of names and descriptions a piece is the beginning of a word, from three letters on anything inside; of a
    patient's ID and an accession number it is the beginning.
    """

    def __init__(self, db: Db, query: Query, text: str, tokens: Sequence[str], state: State = "") -> None:
        super().__init__(db, query)
        raw = text.split()
        self._tokens = list(tokens)[:_MOST_TOKENS]
        self._ids = {token: _spellings(raw, token) for token in self._tokens}
        self._state = state
        self._done = ""

    def _source(self) -> Source:
        found = self._by_state()
        if found is not None:
            return self._dated(found)
        for token in sorted(self._tokens, key=len, reverse=True):
            parts = self._places(token)
            if parts is not None and all(self._is_few(part) for part in parts):
                self._done = token
                first, *others = parts
                return self._dated(self._gather(first.union_all(*others).subquery().select()))
        return super()._source()

    def _by_state(self) -> Source | None:
        c = studies.c
        pairs = select(c.date, c.uid.label("study"))
        if self._state == "arriving":
            return self._gather(pairs.where(c.settled_at.is_(None)))
        if self._state == "held":
            return self._gather(pairs.join_from(legal_holds, studies, c.uid == legal_holds.c.study))
        return None

    def _study_conditions(self, source: Source) -> list[Condition]:
        found = super()._study_conditions(source)
        found += [self._somewhere(token, source) for token in self._tokens if token != self._done]
        if self._state == "incomplete":
            found.append(_lacks(source))
        return found

    def _places(self, token: str) -> list[Select[Any]] | None:
        """Return where a token is found, each by an index; None when it is found in too many words."""
        t, c = study_terms.c, studies.c
        pairs = []
        for tag in (_PATIENT_NAME, _DESCRIPTION):
            norms = self._norms_within(tag, f"*{token}*") if len(token) > 2 else self._beginning(tag, token)
            if norms is None:
                return None
            pairs.append(select(t.date, t.study).where(t.tag == tag, is_one_of(self.db, t.norm, norms)))
        for column in (c.patient_id, c.accession):
            for spelling in self._ids[token]:
                begins = is_prefix(in_byte_order(self.db, column), spelling)
                pairs.append(select(c.date, c.uid.label("study")).where(begins))
        return pairs

    def _beginning(self, tag: str, token: str) -> Listed | None:
        w = term_words.c
        return self._few(select(w.norm).where(w.tag == tag, is_prefix(w.word, token)))

    def _somewhere(self, token: str, source: Source) -> Condition:
        held = study_terms.alias("somewhere")
        t, c = held.c, studies.c
        patterns = [f"*{token}*"] if len(token) > 2 else [f"{token}*", f"* {token}*"]
        here = select(t.tag).where(
            t.tag.in_((_PATIENT_NAME, _DESCRIPTION)),
            t.date == source.date,
            t.study == source.study,
            or_(*(glob(self.db, t.norm, pattern) for pattern in patterns)),
        )
        here = here.with_hint(held, "INDEXED BY ix_study_terms_newest", "sqlite")
        begins = [
            is_prefix(in_byte_order(self.db, column), spelling)
            for column in (c.patient_id, c.accession)
            for spelling in self._ids[token]
        ]
        own = or_(*begins)
        if source.table is not studies:
            own = exists().where(c.uid == source.study, own)
        return or_(here.exists(), own)


def _spellings(raw: Iterable[str], token: str) -> list[str]:
    """Return how an ID that was typed may be written: as it was typed, or all in capitals."""
    typed = [word for word in raw if word.casefold() == token] or [token]
    return list(dict.fromkeys(s for word in typed for s in (word, word.upper())))


def _lacks(source: Source) -> Condition:
    """Return that objects are missing which somebody said there are."""
    c, e, x = studies.c, expectations.c, expected_instances.c
    fewer = exists().where(e.study == source.study, e.count > c.instance_count, c.uid == source.study)
    if source.table is studies:
        fewer = exists().where(e.study == c.uid, e.count > c.instance_count)
    there = exists().where(instances.c.sop_uid == x.sop_uid)
    named = exists().where(and_(x.study == source.study, ~there))
    return or_(fewer, named)
