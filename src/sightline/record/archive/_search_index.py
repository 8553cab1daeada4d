"""What is searched beyond the columns: further attributes by setting, and requests of a series.

New objects are indexed in the transaction that records them (`index_attributes`), what is held already by
a job that goes on where it stopped (`reindex`). A further attribute is matched once all of it is indexed.
"""

import json
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from hashlib import blake2b
from typing import Any, Protocol

from pydicom.datadict import dictionary_VR, keyword_for_tag, tag_for_keyword

from sightline.kernel import clock
from sightline.kernel.errors import Invalid
from sightline.record.archive import _store as store_
from sightline.record.archive._matching import Level, normalise_name, normalise_term
from sightline.record.archive._model import Attributes, Store
from sightline.record.archive.settings import ArchiveSettings
from sightline.runtime import jobs
from sightline.runtime.db import Db

INDEX_JOB, TIDY_JOB = "index-attributes", "tidy-search"
# A change of how values are kept raises this: what is held is then indexed again.
_FORM = "1"
_BATCH = 200
_MOST_VALUES, _LONGEST = 64, 256
_GROUPS = ("Alphabetic", "Ideographic", "Phonetic")
_REQUEST = "00400275"
_REQUEST_STEP, _REQUEST_PROCEDURE = "00400009", "00401001"
# What is given back of each request (PS3.18 table 10.6.3-4, and what tells a person which it was).
_REQUEST_KEPT = (_REQUEST_STEP, _REQUEST_PROCEDURE, "00400007", "00321060", "00080050")


class NotSearchable(Invalid):
    """A setting names an attribute that cannot be searched; correct SIGHTLINE_ARCHIVE_SEARCH_*."""


class Indexed(Protocol):
    """What is read of an object that was just recorded."""

    @property
    def study_uid(self) -> str: ...
    @property
    def series_uid(self) -> str: ...
    @property
    def sop_uid(self) -> str: ...
    @property
    def instance(self) -> Mapping[str, Any]: ...


def further_attributes(settings: ArchiveSettings) -> list[dict[str, Any]]:
    """Return the rows of the attributes that the setting adds.

    Raises
    ------
    NotSearchable
        If one is no attribute, a sequence, or long bytes, or is searched anyway.
    """
    named: tuple[tuple[Level, str], ...] = (
        ("study", settings.search_study),
        ("series", settings.search_series),
        ("instance", settings.search_instance),
    )
    rows = [_row(name, level) for level, names in named for name in re.split(r"[,\s]+", names) if name]
    twice = {row["tag"] for row in rows if sum(r["tag"] == row["tag"] for r in rows) > 1}
    if twice:
        raise NotSearchable(f"{', '.join(sorted(twice))} is to be searched twice; name each attribute once.")
    return rows


def _row(name: str, level: Level) -> dict[str, Any]:
    tag = name.upper() if re.fullmatch(r"[0-9A-Fa-f]{8}", name) else ""
    if not tag:
        number = tag_for_keyword(name)
        if number is None:
            raise NotSearchable(f"{name[:64]!r} is no attribute; name it by keyword or eight-digit tag.")
        tag = f"{number:08X}"
    is_private = int(tag[:4], 16) % 2 == 1
    vr = "LO" if is_private else dictionary_VR(int(tag, 16)).split(" or ")[0]
    if vr in {"SQ", "OB", "OW", "OF", "OD", "OL", "OV", "UN"} or tag in store_.KEYS:
        raise NotSearchable(
            f"{name[:64]!r} cannot be added to what is searched: bytes, a sequence, or a key."
        )
    keyword = (keyword_for_tag(int(tag, 16)) if not is_private else "") or tag
    return {"tag": tag, "level": level, "keyword": keyword, "vr": vr, "ready": False}


def prepare_search(store: Store) -> bool:
    """Have the index follow the setting; say whether a job was started for what is held already.

    Call it at every start, before anything is taken in.
    """
    wanted = {row["tag"]: row for row in further_attributes(store.settings)}
    with store.database.transaction() as db:
        held = store_.further_rows(db)
        same = {t for t in wanted if t in held and held[t]["level"] == wanted[t]["level"]}
        store_.forget_further(db, held.keys() - same)
        store_.add_further(db, [wanted[tag] for tag in sorted(wanted.keys() - same)])
        behind = store_.is_behind(db, mark_of(wanted.values()))
        if behind:
            jobs.enqueue(
                db, INDEX_JOB, key=f"{INDEX_JOB}-{mark_of(wanted.values())}-{store_.newest_series(db)}"
            )
        else:
            store_.set_further_ready(db)
        _plan_tidying(db, 0)
    return behind


def mark_of(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return what a series is marked with once it is indexed under these attributes."""
    named = sorted(f"{row['level']} {row['tag']}" for row in rows)
    return blake2b("\n".join([_FORM, *named]).encode(), digest_size=12).hexdigest()


def index_attributes(db: Db, items: Sequence[Indexed]) -> None:
    """Index objects that were just recorded, in their transaction: whatever is new of series, and instances.

    What is of a study or series is taken from the first object of each series; later ones cost nothing.
    """
    if not items:
        return
    further = store_.further_rows(db)
    mark = mark_of(further.values())
    behind = store_.series_behind(db, {item.series_uid for item in items}, mark)
    of_instance = any(row["level"] == "instance" for row in further.values())
    first = {item.series_uid: item for item in reversed(items) if item.series_uid in behind}
    values: list[dict[str, Any]] = []
    for item in items if of_instance else first.values():
        whole = first.get(item.series_uid) is item
        home = behind.get(item.series_uid) or store_.series_state(db, item.series_uid)
        if home is None:
            continue
        attributes = _overlaid(item.instance["metadata_gz"], home)
        values += _values(attributes, further, home, item.sop_uid, whole=whole)
        if whole:
            store_.mark_series(db, item.series_uid, mark, _requests(attributes))
    store_.add_values(db, values)


def index_study(db: Db, study_uid: str) -> None:
    """Index a study anew, after a correction changed what its objects say."""
    further = store_.further_rows(db)
    for uid in store_.series_uids_of(db, study_uid):
        _index_series(db, uid, further)


def reindex(store: Store, progress: Callable[[int], None] = lambda done: None) -> int:
    """Index the series that are not under the present setting; return how many.

    Each batch is a transaction: begun again, it goes on. Then the further attributes are matched.
    """
    after: str | None = ""
    while after is not None:
        with store.database.transaction() as db:
            after = store_.normalise_older(db, after, _BATCH, normalise_name, normalise_term)
    done = 0
    while True:
        with store.database.transaction() as db:
            further = store_.further_rows(db)
            mark = mark_of(further.values())
            batch = store_.next_behind(db, mark, _BATCH)
            for uid in batch:
                _index_series(db, uid, further)
            if not batch:
                store_.set_further_ready(db)
                return done
        done += len(batch)
        progress(done)


def tidy_search(store: Store) -> None:
    """Forget the words of what is gone and add up the counts: once a day is plenty."""
    with store.database.transaction() as db:
        store_.compact_counts(db)
    with store.database.transaction() as db:
        store_.forget_words(db)


def _plan_tidying(db: Db, days: int) -> None:
    """Have the index tidied in so many days, once in each of them."""
    day = clock.now().date() + timedelta(days=days)
    jobs.enqueue(db, TIDY_JOB, key=f"{TIDY_JOB}-{day}", delay_s=days * 86_400)


@jobs.job(TIDY_JOB)
def tidy_daily(run: jobs.Run) -> None:
    """Tidy the index, and again tomorrow."""
    store: Store = run.resource("store")
    run.step("tidy", lambda: tidy_search(store))

    def plan() -> None:
        with store.database.transaction() as db:
            _plan_tidying(db, 1)

    run.step("plan", plan)


@jobs.job(INDEX_JOB)
def index_held(run: jobs.Run) -> None:
    """Index what was held before an attribute was added to those that are searched."""
    store: Store = run.resource("store")
    run.step("index", lambda: reindex(store))


def _index_series(db: Db, uid: str, further: Mapping[str, Mapping[str, Any]]) -> None:
    home = store_.series_state(db, uid)
    if home is None:
        return
    store_.forget_values_of_series(db, home["study"], uid)
    of_instance = any(row["level"] == "instance" for row in further.values())
    values: list[dict[str, Any]] = []
    requests = None
    for n, (sop_uid, packed) in enumerate(store_.metadata_in_series(db, uid, all_of_them=of_instance)):
        attributes = _overlaid(packed, home)
        values += _values(attributes, further, home, sop_uid, whole=n == 0)
        requests = _requests(attributes) if n == 0 else requests
    store_.add_values(db, values)
    store_.mark_series(db, uid, mark_of(further.values()), requests)


def _overlaid(packed: bytes, home: Mapping[str, Any]) -> Attributes:
    attributes: Attributes = json.loads(zlib.decompress(packed))
    for overlay in (home["study_overlay"], home["overlay"]):
        for tag, element in (overlay or {}).items():
            attributes[tag] = element or {}
    return attributes


def _values(
    attributes: Attributes,
    further: Mapping[str, Mapping[str, Any]],
    home: Mapping[str, Any],
    sop_uid: str,
    *,
    whole: bool,
) -> Iterator[dict[str, Any]]:
    """Yield the rows of one object; `whole` says that it stands for its study and series as well."""
    place = {"date": home["date"], "study": home["study"], "series": "", "instance": ""}
    series = place | {"series": home["uid"]}
    places = {"study": place, "series": series, "instance": series | {"instance": sop_uid}}
    for tag, row in further.items():
        if whole or row["level"] == "instance":
            for value in _texts(attributes.get(tag), row["vr"]):
                yield _value(tag, value, places[row["level"]], name=row["vr"] == "PN")
    if whole:
        for tag, value in _requested(attributes):
            yield _value(tag, value, series, name=False)


def _value(tag: str, value: str, place: Mapping[str, str], *, name: bool) -> dict[str, Any]:
    norm = normalise_name(value) if name else normalise_term(value)
    return {"tag": tag, "norm": norm, "value": value, **place}


def _texts(element: Mapping[str, Any] | None, vr: str) -> Iterator[str]:
    """Yield the values of an element as they are matched: numbers as Python writes them."""
    for value in ((element or {}).get("Value") or [])[:_MOST_VALUES]:
        if isinstance(value, dict):
            groups = [str(value.get(group) or "") for group in _GROUPS]
            yield from (g for g in ["=".join(groups).rstrip("=")[:_LONGEST]] if g)
        elif isinstance(value, int | float) and vr in {"DS", "FD", "FL"}:
            yield repr(float(value))
        elif value is not None and str(value).strip():
            yield str(value).strip()[:_LONGEST]


def _items(attributes: Attributes) -> list[Attributes]:
    items = (attributes.get(_REQUEST) or {}).get("Value") or []
    return [item for item in items if isinstance(item, dict)][:_MOST_VALUES]


def _requests(attributes: Attributes) -> str | None:
    """Return what is given back of a series' requests."""
    kept = [{tag: item[tag] for tag in _REQUEST_KEPT if tag in item} for item in _items(attributes)]
    return json.dumps(kept, ensure_ascii=False) if any(kept) else None


def _requested(attributes: Attributes) -> Iterator[tuple[str, str]]:
    """Yield what is matched of a series' requests: each of its two IDs, and the pair of one item."""
    for item in _items(attributes):
        step = next(_texts(item.get(_REQUEST_STEP), "SH"), "")
        procedure = next(_texts(item.get(_REQUEST_PROCEDURE), "SH"), "")
        pairs = (
            (f"{_REQUEST}.{_REQUEST_STEP}", step),
            (f"{_REQUEST}.{_REQUEST_PROCEDURE}", procedure),
            (_REQUEST, f"{step}\\{procedure}"),
        )
        yield from ((tag, value) for tag, value in pairs if value and value != "\\")
