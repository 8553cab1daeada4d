"""What a query asks, and how names are found by their words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select

from sightline.record.archive._matching import (
    FUZZY_HEAD,
    SHORTEST_FUZZY,
    Empty,
    Level,
    Match,
    Query,
    Range,
    Single,
    UidList,
    Universal,
    Wildcard,
    is_near,
)
from sightline.record.archive._store.attributes import (
    search_attributes,
    term_words,
    word_parts,
    words,
)
from sightline.record.archive._store.keys import (
    KEYS,
    Condition,
    Key,
    Listed,
    glob,
    groups_of,
    is_one_of,
    is_prefix,
    matches_date,
    matches_norm,
    matches_number,
    matches_text,
    matches_time,
    norm_of,
    pack_list,
    stem_of,
)
from sightline.runtime.db import Db

# So many rows are gathered and sorted in a few milliseconds; a key that matches more is common enough to be
# met soon when the newest are read.
GATHERED = 1500
TERMS_LISTED = 500
# A class with so few studies is walked itself, whatever else is asked of them.
WALKED = 20_000
# To test a study for a name costs as much as to read so many names in order.
TESTED = 7
# Where days are asked for as well, few of what is gathered remain; to test a name for typos is dear.
DATED, NEAR = 4, 2
NEAR_LISTED = 10 * TERMS_LISTED
# For a count nothing ends the walk early: much more is worth being gathered.
COUNTED = 50
_LAST = 2**31 - 1
DATE, TIME = "00080020", "00080030"
_LAST = 2**31 - 1
DATE, TIME = "00080020", "00080030"


@dataclass(frozen=True, slots=True)
class Asked:
    """A key and what is asked of it."""

    key: Key
    match: Match


def asked_keys(db: Db, query: Query) -> list[Asked]:
    """Return the keys that are matched; what is not supported, and what asks nothing, is left out."""
    asked = [Asked(KEYS[t], m) for t, m in query.keys.items() if t in KEYS and not isinstance(m, Universal)]
    unknown = [t for t in query.keys if t not in KEYS]
    if unknown:
        further = further_keys(db)
        asked += [
            Asked(further[t], query.keys[t])
            for t in unknown
            if t in further and not isinstance(query.keys[t], Universal)
        ]
    return [a for a in asked if not _asks_nothing(a)]


def _asks_nothing(asked: Asked) -> bool:
    """Say whether a name is asked for that has no letters, as ``^`` or ``=``."""
    m = asked.match
    if asked.key.kind != "name" or not isinstance(m, Single | Wildcard):
        return False
    text = m.value if isinstance(m, Single) else m.pattern
    return not norm_of(text, name=True).strip("*= ")


def further_keys(db: Db) -> dict[str, Key]:
    """Return the attributes that are matched besides, by the setting, once all that is held is indexed."""
    c = search_attributes.c
    rows = db.execute(select(c.tag, c.keyword, c.vr, c.level).where(c.ready))
    return {row.tag: Key(row.tag, row.keyword, row.vr, row.level, "value") for row in rows}


class Asking:
    """A query's keys, and what of them an index of words answers."""

    def __init__(self, db: Db, query: Query) -> None:
        self.db = db
        self.query = query
        self.asked = asked_keys(db, query)
        self.by_tag = {a.key.tag: a for a in self.asked}
        self._most = 1
        self._after: Sequence[str] | None = None
        self._words: dict[str, list[str]] = {}
        self._near_terms: dict[str, Listed | None] = {}

    def has(self, *levels: Level) -> bool:
        """Say whether keys of these levels are asked for."""
        return any(a.key.level in levels for a in self.asked)

    def _plan_for_values(self) -> None:
        """Have PostgreSQL plan for the values that are asked for, not for any: a name may be common or rare.

        A page is soon full, so that workers beside us would only be started in vain.
        """
        if self.db.dialect.name == "postgresql":
            local = {"plan_cache_mode": "force_custom_plan", "max_parallel_workers_per_gather": "0"}
            self.db.execute(select(*(func.set_config(name, value, True) for name, value in local.items())))

    def _is_few(self, pairs: Select[Any], times: int = 1) -> bool:
        most = GATHERED * self._most * times
        few = select(func.count()).select_from(pairs.limit(most + 1).subquery())
        return bool(self.db.execute(few).scalar_one() <= most)

    def _is_fuzzy(self, asked: Asked) -> bool:
        """Say whether typos are forgiven: not where a pattern says exactly what may differ."""
        if not self.query.fuzzy or asked.key.kind != "name" or not isinstance(asked.match, Single | Wildcard):
            return False
        text = text_of(asked.match)
        return not set(text.rstrip("*")) & {"*", "?", "="} and bool(norm_of(text.rstrip("*"), name=True))

    def _norms(self, tag: str, column: Any) -> Iterable[Condition]:
        """Yield conditions on a term that an index serves, each of which what is asked implies."""
        asked = self.by_tag[tag]
        name = asked.key.kind == "name"
        if isinstance(asked.match, Empty | Range):
            return
        if isinstance(asked.match, UidList) and self._is_grouped(tag):
            return
        if self._is_fuzzy(asked):
            norms = self._near_norms(tag, text_of(asked.match))
            if norms is not None:
                yield is_one_of(self.db, column, norms)
            return
        if self._is_grouped(tag):
            parts = [p for p in groups_of(text_of(asked.match)) if p and p.strip("*")]
            matches: list[Match] = [Wildcard(p) if set(p) & {"*", "?"} else Single(p) for p in parts]
        else:
            matches = [asked.match]
        for match in matches:
            yield from self._norm(tag, column, match, name)

    def _norm(self, tag: str, column: Any, match: Match, name: bool) -> Iterable[Condition]:
        if isinstance(match, Single | UidList):
            yield matches_norm(self.db, column, match, name=name)
            return
        pattern = norm_of(text_of(match), name=name)
        condition = matches_norm(self.db, column, match, name=name)
        stem = stem_of(pattern)
        if stem:
            yield condition
        if pattern == stem + "*":
            return  # its words would not match less
        norms = self._norms_within(tag, pattern)
        if norms is not None:
            yield is_one_of(self.db, column, norms)

    def _norms_within(self, tag: str, pattern: str) -> Listed | None:
        """Return the terms like a pattern, by a word they hold; None when they are too many to be listed."""
        fragments = [part for part in pattern.replace("?", "*").replace(" ", "*").split("*") if part]
        fragment = max(fragments, key=len, default="")
        if not fragment:
            return None
        found = self._words_with(fragment)
        if found is None:
            return None
        w = term_words.c
        like = is_one_of(self.db, w.word, found), glob(self.db, w.norm, pattern)
        return self._few(by_word(select(w.norm).where(w.tag == tag, *like)))

    def _words_with(self, fragment: str) -> Listed | None:
        p, w = word_parts.c, words.c
        if len(fragment) < 3:
            wanted = select(w.word).where(glob(self.db, w.word, f"*{fragment}*"))
        else:
            parts = sorted({fragment[i : i + 3] for i in range(len(fragment) - 2)})
            wanted = select(p.word).where(p.part == parts[0], glob(self.db, p.word, f"*{fragment}*"))
        return self._few(wanted)

    def _near_norms(self, tag: str, text: str) -> Listed | None:
        """Return the terms near to a name, by its rarest part; None when they are too many to be listed."""
        if tag not in self._near_terms:
            tokens = tokens_of(text)
            rarest = min(
                tokens, key=lambda t: len(self._near_words(t)) if len(t) >= SHORTEST_FUZZY else _LAST
            )
            w = term_words.c
            others = [token for token in tokens if token != rarest]
            near = [self._near_word(w.word, rarest), *(self._has_near(tag, w.norm, t) for t in others)]
            wanted = by_word(select(w.norm).where(w.tag == tag, *near))
            self._near_terms[tag] = self._few(wanted, NEAR_LISTED)
        return self._near_terms[tag]

    def _few(self, wanted: Select[Any], most: int = 0) -> Listed | None:
        """Return what is wanted; None when there is too much of it.

        The database packs it and gets it back as it is: thousands of rows would each cost Python a row.
        """
        most = (most or TERMS_LISTED) * self._most
        found = wanted.limit(most + 1).subquery()
        is_sqlite = self.db.dialect.name == "sqlite"
        pack = func.json_group_array if is_sqlite else func.array_agg
        counted, packed = self.db.execute(select(func.count(), pack(next(iter(found.c))))).one()
        return Listed(packed if counted else pack_list(self.db, ())) if counted <= most else None

    def _near(self, tag: str, norm: Any, text: str) -> list[Condition]:
        """Return that each part of a name is near to a word of the term."""
        norms = self._near_norms(tag, text)
        if norms is not None:
            return [is_one_of(self.db, norm, norms)]
        return [self._has_near(tag, norm, token) for token in tokens_of(text)]

    def _has_near(self, tag: str, norm: Any, token: str) -> Condition:
        other = term_words.alias("near_words")
        c = other.c
        # The words of one term are few: each is looked for in the list, not each of the list in the index.
        near = select(c.tag).where(c.tag == tag, c.norm == norm, self._near_word(c.word.op("||")(""), token))
        return near.with_hint(other, "INDEXED BY ix_term_words_term", "sqlite").exists()

    def _near_word(self, column: Any, token: str) -> Condition:
        if len(token) < SHORTEST_FUZZY:
            return is_prefix(column, token)
        return is_one_of(self.db, column, Listed(pack_list(self.db, self._near_words(token))))

    def _near_words(self, token: str) -> list[str]:
        """Return the words near to a part of a name: they share a beginning, or one without a letter."""
        if token not in self._words:
            head = token[:FUZZY_HEAD]
            heads = {head, *(head[:i] + head[i + 1 :] for i in range(len(head)))}
            p = word_parts.c
            found = select(p.word).where(p.part.in_(sorted(f"~{h}" for h in heads))).distinct()
            self._words[token] = sorted(word for word in self.db.scalars(found) if is_near(token, word))
        return self._words[token]

    def _single(self, tag: str) -> str | None:
        match = self.by_tag[tag].match if tag in self.by_tag else None
        return match.value if isinstance(match, Single) else None

    def _is_combined(self, tag: str) -> bool:
        pair = {DATE, TIME}
        return tag in pair and self.query.combined_datetime and pair <= self.by_tag.keys()

    def _plain(self, asked: Asked) -> Condition:
        key, match = asked.key, asked.match
        if key.kind == "date":
            return matches_date(key.column, match)
        if key.kind == "time":
            return matches_time(key.column, match)
        if key.kind == "number":
            return matches_number(key.column, match)
        return matches_text(self.db, key.column, match, key.vr)

    def _is_grouped(self, tag: str) -> bool:
        """Say whether a name is asked for by its groups."""
        asked = self.by_tag[tag]
        return asked.key.kind == "name" and any("=" in text for text in texts_of(asked.match))


def in_byte_order(db: Db, column: Any) -> Any:
    return column.collate("C") if db.dialect.name == "postgresql" else column


def text_of(match: Match) -> str:
    return match.value if isinstance(match, Single) else match.pattern if isinstance(match, Wildcard) else ""


def by_word(wanted: Select[Any]) -> Select[Any]:
    """Have SQLite read terms by their words, never all terms of an attribute."""
    return wanted.with_hint(term_words, "INDEXED BY ix_term_words_word", "sqlite")


def tokens_of(text: str) -> list[str]:
    """Return the parts of a name that is asked for, each once."""
    return list(dict.fromkeys(norm_of(text.rstrip("*"), name=True).split(" ")))


def texts_of(match: Match) -> Sequence[str]:
    return match.values if isinstance(match, UidList) else [text_of(match)]
