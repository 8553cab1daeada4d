"""The search that QIDO-RS, C-FIND and the archive's page use: what matches, in DICOM JSON.

Cost hangs on the page, not on how much is held; see `_store.matching`.
"""

import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from pydicom.datadict import dictionary_VR, keyword_for_tag

from sightline.record.archive import _store as store_
from sightline.record.archive._matching import Level, Match, Query, Range, Single, normalise_name
from sightline.record.archive._model import Attributes, Page, Study, StudyQuery
from sightline.runtime.db import Db

# Computed only where they are asked for.
_OF_PATIENT = {"00201200": "studies", "00201202": "series", "00201204": "instances"}
_SOP_CLASSES = "00080062"
_GROUPS = ("Alphabetic", "Ideographic", "Phonetic")


def search(
    db: Db,
    query: Query,
    *,
    include: frozenset[str] = frozenset(),
    limit: int,
    offset: int = 0,
    after: tuple[str, ...] | None = None,
) -> Page[Attributes]:
    """Return one page of what matches, in DICOM JSON.

    Parameters
    ----------
    include : frozenset of str
        Tags to return besides the return keys of the level and the levels above (PS3.18 10.6.3.3): computed
        ones, and others as the first instance has them; ``all`` for all of its attributes.
    limit, offset, after
        The page: at most `limit`, after the key `next` of the page before, or after `offset` matches.

    Returns
    -------
    Page of Attributes
        Studies newest first, series and instances by number inside them, patients in a fixed order. There is
        no Retrieve URL: whoever serves it knows its address.
    """
    rows = store_.search_of(db, query).page(limit + 1, offset, after)
    page = rows[:limit]
    found = _described(db, query.level, [row[-1] for row in page], include)
    items = tuple(found[row[-1]] for row in page if row[-1] in found)
    return Page(items, tuple(str(v) for v in page[-1]) if len(rows) > limit else None)


def count(db: Db, query: Query, *, most: int | None = None) -> int:
    """Return how many match; with `most`, counting stops there."""
    return store_.search_of(db, query).count(most)


def search_text(
    db: Db,
    text: str,
    *,
    modality: str = "",
    since: str = "",
    until: str = "",
    label: str = "",
    state: store_.State = "",
    limit: int = 50,
    after: tuple[str, ...] | None = None,
) -> Page[Study]:
    """Return one page of the studies that what a person has typed so far may mean, newest first.

    Each piece of the text is found in a name, a description, a patient's ID or an accession number. Where
    nothing is, the text is taken for a name with typos.

    Parameters
    ----------
    since, until : str
        Study dates, YYYYMMDD; empty is open.
    state : str
        ``arriving``: not settled yet; ``incomplete``: fewer objects than somebody said; ``held``: by law.
    """
    keys: dict[str, Match] = {"00080061": Single(modality)} if modality else {}
    if since or until:
        keys["00080020"] = Range(since, until)
    query = Query("study", keys, labels=(label,) if label else ())
    tokens = list(dict.fromkeys(normalise_name(text).replace("=", " ").split()))
    found = _typed(db, store_.TextSearch(db, query, text, tokens, state), limit, after)
    if found.items or after is not None or not tokens:
        return found
    near = Query("study", {**keys, "00100010": Single(" ".join(tokens))}, fuzzy=True, labels=query.labels)
    return _typed(db, store_.TextSearch(db, near, "", [], state), limit, after)


def _typed(db: Db, search: Any, limit: int, after: tuple[str, ...] | None) -> Page[Study]:
    rows = search.page(limit + 1, 0, after)
    uids = [row[-1] for row in rows[:limit]]
    held = (
        {s.uid: s for s in store_.studies_where(db, StudyQuery(study_uids=uids), limit=limit)} if uids else {}
    )
    items = tuple(held[uid] for uid in uids if uid in held)
    return Page(items, tuple(rows[limit - 1]) if len(rows) > limit else None)


def searchable(level: Level, db: Db | None = None) -> Mapping[str, str]:
    """Return what is matched at a level, by tag its keyword: of the level and the levels above.

    With `db`, the attributes that this archive's setting adds are among them. Attributes of levels below are
    matched as well (relational queries), so that ``searchable("instance")`` names them all.
    """
    above = store_.LEVELS[: store_.LEVELS.index(level) + 1]
    keys = {**store_.KEYS, **(store_.further_keys(db) if db is not None else {})}
    return {tag: key.keyword for tag, key in sorted(keys.items()) if key.level in above}


def _described(db: Db, level: Level, uids: Sequence[str], include: frozenset[str]) -> dict[str, Attributes]:
    """Return each object in DICOM JSON, by UID."""
    rows = store_.described(db, level, uids)
    found = {row["key"]: _attributes(level, row) for row in rows}
    own = set(_RETURNED[level])
    wanted = include - own
    if level == "patient" or wanted & _OF_PATIENT.keys() or "all" in include:
        _add_patient_counts(db, rows, found)
    if _SOP_CLASSES in include or "all" in include:
        _add_classes(db, rows, found)
    if wanted - _OF_PATIENT.keys() - {_SOP_CLASSES}:
        _add_included(db, level, found, wanted)
    return found


_PATIENT = {
    "00100010": "name",
    "00100020": "patient_id",
    "00100021": "issuer",
    "00100030": "birth_date",
    "00100040": "sex",
}
_STUDY = {
    "00080020": "date",
    "00080030": "time",
    "00080050": "accession",
    "00080061": "modalities",
    "00080090": "referring",
    "00081030": "description",
    "0020000D": "uid",
    "00200010": "study_id",
    "00201206": "series_count",
    "00201208": "instance_count",
}
_SERIES = {
    "00080021": "series_date",
    "00080031": "series_time",
    "00080060": "modality",
    "0008103E": "series_description",
    "00180015": "series_body_part",
    "0020000E": "series_uid",
    "00200011": "series_number",
    "00201209": "series_instance_count",
    "00400244": "performed_date",
    "00400245": "performed_time",
    "00400275": "request_attributes",
}
_INSTANCE = {
    "00080016": "sop_class",
    "00080018": "sop_uid",
    "00083002": "transfer_syntax",
    "00200013": "number",
    "00280008": "frames",
    "00280010": "rows",
    "00280011": "columns",
    "00280100": "bits",
}
_RETURNED: Mapping[Level, Mapping[str, str]] = {
    "patient": _PATIENT,
    "study": {**_PATIENT, **_STUDY},
    "series": {**_PATIENT, **_STUDY, **_SERIES},
    "instance": {**_PATIENT, **_STUDY, **_SERIES, **_INSTANCE},
}
_ALWAYS: Attributes = {
    "00080005": {"vr": "CS", "Value": ["ISO_IR 192"]},
    "00080056": {"vr": "CS", "Value": ["ONLINE"]},
}


def returned(level: Level) -> Mapping[str, str]:
    """Return what a search of a level gives always, by tag its keyword."""
    tags = sorted({*_RETURNED[level], *_ALWAYS})
    return {tag: keyword_for_tag(int(tag, 16)) for tag in tags}


def _attributes(level: Level, row: Mapping[str, Any]) -> Attributes:
    found = dict(_ALWAYS)
    for tag, column in _RETURNED[level].items():
        value = row[column]
        if value is None and tag.startswith("0028"):
            continue  # it has no pixels
        found[tag] = _element(tag, value)
    return found


@lru_cache(maxsize=1024)
def _vr(tag: str) -> str:
    return dictionary_VR(int(tag, 16)).split(" or ")[0]


def _element(tag: str, value: Any) -> dict[str, Any]:
    """Return one attribute; one without a value has only its representation (PS3.18 F.2.5)."""
    vr = _vr(tag)
    if value is None or value == "":
        return {"vr": vr}
    if vr == "PN":
        groups = zip(_GROUPS, value.split("="), strict=False)
        return {"vr": vr, "Value": [{name: group for name, group in groups if group}]}
    if vr == "SQ":
        return {"vr": vr, "Value": json.loads(value)}
    if tag == "00080061":
        return {"vr": vr, "Value": value.split("\\")}
    return {"vr": vr, "Value": [value]}


def _add_patient_counts(db: Db, rows: Iterable[Mapping[str, Any]], found: dict[str, Attributes]) -> None:
    of = {row["key"]: row["patient"] for row in rows}
    counts = store_.counts_of_patients(db, set(of.values()))
    for uid, patient in of.items():
        held = counts.get(patient, {})
        for tag, name in _OF_PATIENT.items():
            found[uid][tag] = {"vr": "IS", "Value": [held.get(name, 0)]}


def _add_classes(db: Db, rows: Iterable[Mapping[str, Any]], found: dict[str, Attributes]) -> None:
    of = {row["key"]: row.get("uid") for row in rows}
    classes = store_.classes_of_studies(db, {uid for uid in of.values() if uid})
    for key, study in of.items():
        if study:
            held = classes.get(study)
            found[key][_SOP_CLASSES] = {"vr": "UI", "Value": held} if held else {"vr": "UI"}


def _add_included(db: Db, level: Level, found: dict[str, Attributes], wanted: frozenset[str]) -> None:
    """Add what is asked for besides, as the first instance of each object has it."""
    for key, (packed, *overlays) in store_.first_metadata(db, level, list(found)).items():
        held = json.loads(zlib.decompress(packed))
        for tag, element in (pair for overlay in overlays if overlay for pair in overlay.items()):
            held[tag] = element  # what a correction set, or took away with null
        extra = {t: e for t, e in held.items() if e is not None and ("all" in wanted or t in wanted)}
        found[key] = dict(sorted({**extra, **found[key]}.items()))
