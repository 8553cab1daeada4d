"""Searching: what is found is what PS3.4 C.2.2.2 says, whatever way the store takes to it."""

import random
import shutil
import unicodedata
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, insert, text

from sightline.record import archive
from sightline.record.archive import _store
from sightline.record.archive._store.attributes import attribute_values, search_attributes
from sightline.record.archive._store.custody import study_labels
from sightline.record.archive._store.keys import KEYS
from sightline.runtime.db import Database, open_database

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = (
    "Müller^Jörg",
    "MULLER^JORG",
    "Müller-Lüdenscheidt^Anna Maria",
    "Meier^Hans",
    "Meyer^Hans",
    "Maier",
    "Schmidt^Anna",
    "Schmitt^Anne",
    "Yamada^Tarou=山田^太郎=やまだ^たろう",
    "Yamada^Hanako=山田^花子",
    "Hong^Gildong=洪^吉洞=홍^길동",
    "O'Brien^[x]",
    "",
)
DATES = ("", "20231231", "20240101", "20240131", "20240201")
TIMES = ("", "10", "1015", "101500", "101500.500", "235959")
TEXTS = ("", "CT chest", "CT Chest [a]", "Schädel 50%", "t_1=x", "Straße  nativ")
IDS = ("1", "12", "0012", "A-1", "a-1", "")
MODALITIES = ("CT", "MR", "SR")
CLASSES = ("1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4")
STATIONS = ("", "CT01", "ct01", "MR_2")


@cache
def made() -> dict[str, list[dict]]:
    """A small archive in which everything is there at least twice."""
    rng = random.Random(4)
    rows: dict[str, list[dict]] = {name: [] for name in ("patients", "studies", "series", "instances")}
    for p in range(16):
        name = NAMES[p % len(NAMES)]
        patient = {
            "id": f"{p:032x}",
            "identity": f"id|{p}",
            "issuer": rng.choice(("", "A")),
            "patient_id": rng.choice(IDS),
            "name": name,
            "name_norm": archive.normalise_name(name),
            "birth_date": rng.choice(("", "19600102", "19991231")),
            "sex": rng.choice("MFO"),
        }
        rows["patients"].append(patient)
        for s in range(rng.randint(0, 4)):
            make_study(rng, rows, patient, s)
    return rows


def make_study(rng: random.Random, rows: dict[str, list[dict]], patient: dict, number: int) -> None:
    uid = f"1.2.{int(patient['id'], 16)}.{number}"
    own_name = patient["name"] if rng.random() < 0.8 else rng.choice(NAMES)
    description, referring = rng.choice(TEXTS), rng.choice(NAMES)
    study = {
        "uid": uid,
        "patient": patient["id"],
        **{k: patient[k] for k in ("patient_id", "birth_date", "sex")},
        "name": own_name,
        "name_norm": archive.normalise_name(own_name),
        "date": rng.choice(DATES),
        "time": rng.choice(TIMES),
        "accession": rng.choice(IDS),
        "study_id": rng.choice(IDS),
        "description": description,
        "description_norm": archive._matching.normalise_term(description),
        "referring": referring,
        "referring_norm": archive.normalise_name(referring),
        "body_part": "",
        **dict.fromkeys(("series_count", "instance_count", "image_count", "bytes"), 1),
        "simulated": False,
        "first_received": NOW,
        "last_received": NOW,
        "labels": rng.sample(("teaching", "trial"), rng.randint(0, 2)),
        "station": rng.choice(STATIONS),
    }
    kinds = set()
    for n in range(rng.randint(1, 3)):
        series = make_series(rng, rows, uid, n)
        kinds.add(series["modality"])
    study["modalities"] = "\\".join(sorted(kinds))
    rows["studies"].append(study)


def make_series(rng: random.Random, rows: dict[str, list[dict]], study: str, n: int) -> dict:
    series = {
        "uid": f"{study}.{n}",
        "study": study,
        "modality": rng.choice(MODALITIES),
        "number": rng.choice((None, 1, 2)),
        "description": rng.choice(TEXTS),
        "body_part": rng.choice(("", "CHEST")),
        "date": rng.choice(DATES),
        "time": rng.choice(TIMES),
        "performed_date": rng.choice(DATES),
        "performed_time": rng.choice(TIMES),
        **dict.fromkeys(("instance_count", "frame_count", "bytes", "generation"), 1),
        "first_received": NOW,
        "last_received": NOW,
        "requests": [(rng.choice(IDS), rng.choice(IDS)) for _ in range(rng.randint(0, 2))],
    }
    rows["series"].append(series)
    for k in range(rng.randint(1, 3)):
        rows["instances"].append(
            {
                "sop_uid": f"{series['uid']}.{k}",
                "series": series["uid"],
                "study": study,
                "sop_class": rng.choice(CLASSES),
                "number": rng.choice((None, 1, 2)),
                "transfer_syntax": "1.2.840.10008.1.2.1",
                "blob": f"{series['uid']}.{k}",
                "size": 1,
                "hash": "",
                "position": "",
                "received_at": NOW,
                "metadata_gz": b"x",
            }
        )
    return series


def fill(database: Database) -> None:
    rows = made()
    own = {"labels", "station", "requests"}
    with database.transaction() as db:
        for name in ("patients", "studies", "series", "instances"):
            table = getattr(_store, name)
            db.execute(insert(table), [{k: v for k, v in row.items() if k not in own} for row in rows[name]])
        of = {s["uid"]: s for s in rows["studies"]}
        kinds = {(e["modality"], of[e["study"]]["date"], e["study"]) for e in rows["series"]}
        columns = ("modality", "date", "study")
        db.execute(
            insert(_store.study_modalities), [dict(zip(columns, k, strict=True)) for k in sorted(kinds)]
        )
        labelled = [
            {"study": s["uid"], "label": x, "by": "me", "at": NOW} for s in of.values() for x in s["labels"]
        ]
        db.execute(insert(study_labels), labelled)
        station = {"tag": "00081010", "level": "study", "keyword": "StationName", "vr": "SH", "ready": True}
        db.execute(insert(search_attributes), [station])
        values = [value_row("00081010", s["station"], s) for s in of.values() if s["station"]]
        for e in rows["series"]:
            study = of[e["study"]]
            for step, procedure in set(e["requests"]):
                pair = f"{step}\\{procedure}"
                for tag, v in (
                    ("00400275.00400009", step),
                    ("00400275.00401001", procedure),
                    ("00400275", pair),
                ):
                    if v:
                        values.append(value_row(tag, v, study, e["uid"]))
        unique = {tuple(v.values()): v for v in values}
        db.execute(insert(attribute_values), list(unique.values()))


def value_row(tag: str, value: str, study: dict, series: str = "") -> dict:
    norm = archive._matching.normalise_term(value)
    return {
        "tag": tag,
        "norm": norm,
        "date": study["date"],
        "study": study["uid"],
        "series": series,
        "instance": "",
        "value": value,
    }


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def held(request, tmp_path_factory) -> Iterator[Database]:
    """The small archive, on each database."""
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("held") / "sightline.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        opened = open_database(f"sqlite:///{path}")
        fill(opened)
        yield opened
        opened.dispose()
        return
    template = request.getfixturevalue("postgresql_template")
    server = request.getfixturevalue("postgresql_server")
    name = f"t{uuid.uuid4().hex[:12]}"
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as db:
        db.execute(text(f"create database {name} template {template}"))
    opened = open_database(server.rsplit("/", 1)[0] + f"/{name}")
    fill(opened)
    yield opened
    opened.dispose()
    with admin.connect() as db:
        db.execute(text(f"drop database {name} with (force)"))
    admin.dispose()


# What must be found, said a second time and slowly


def matches(tag: str, vr: str, value, match: archive.Match) -> bool:
    if isinstance(match, archive.Universal):
        return True
    if isinstance(match, archive.Empty):
        return value in ("", None)
    if isinstance(match, archive.UidList):
        return any(matches(tag, vr, value, one(vr, v)) for v in match.values)
    if vr == "PN":
        return name_matches(value, match)
    if vr == "IS":
        return value is not None and value == int(match.value)
    if vr in ("DA", "TM"):
        low, high = (match.low, match.high) if isinstance(match, archive.Range) else (match.value,) * 2
        span = {"DA": ("00000000", "99999999"), "TM": ("000000.000000", "999999.999999")}[vr]
        full = value + span[0][len(value) :]
        after = not low or full >= low + span[0][len(low) :]
        return value != "" and after and (not high or full <= high + span[1][len(high) :])
    if isinstance(match, archive.Wildcard):
        return value is not None and fnmatchcase(value, match.pattern.replace("[", "[[]"))
    return value == match.value


def one(vr: str, value: str) -> archive.Match:
    return archive.Wildcard(value) if vr != "UI" and set(value) & set("*?") else archive.Single(value)


def plain(name: str) -> str:
    letters = (c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    return " ".join("".join(letters).casefold().replace("^", " ").split())


def name_matches(name: str, match: archive.Match) -> bool:
    asked = match.pattern if isinstance(match, archive.Wildcard) else match.value
    if not plain(asked.replace("=", " ")).strip("* "):
        return True
    groups = [plain(g) for g in name.split("=")]
    if "=" not in asked:
        return any(g and fnmatchcase(g, plain(asked).replace("[", "[[]")) for g in groups)
    parts = asked.split("=")
    groups += [""] * (3 - len(groups))
    pairs = zip(parts, groups, strict=False)
    return all(not p.strip("*") or fnmatchcase(g, plain(p).replace("[", "[[]")) for p, g in pairs)


def distance_to_beginning(token: str, word: str) -> int:
    @cache
    def d(i: int, j: int) -> int:
        if i == 0 or j == 0:
            return i + j
        return min(d(i - 1, j) + 1, d(i, j - 1) + 1, d(i - 1, j - 1) + (token[i - 1] != word[j - 1]))

    return min(d(len(token), j) for j in range(len(word) + 1))


def near(token: str, word: str) -> bool:
    if len(token) < 4:
        return word.startswith(token)
    if len(token) < 7:
        return distance_to_beginning(token, word) <= 1
    return distance_to_beginning(token[:5], word) <= 1 and distance_to_beginning(token, word) <= 2


def expected(query: archive.Query) -> set[str]:
    rows = made()
    studies = {s["uid"]: s for s in rows["studies"]}
    series = {e["uid"]: e for e in rows["series"]}
    patients = {p["id"]: p for p in rows["patients"]}

    def fits(level: str, *, patient=None, study=None, serie=None, instance=None) -> bool:
        for tag, match in query.keys.items():
            key = KEYS.get(tag) or STATION
            if key.level != level:
                continue
            if not fits_key(query, key, match, patient, study, serie, instance):
                return False
        return level != "study" or set(query.labels) <= set(study["labels"])

    def requested(serie: dict) -> bool:
        keys = ("00400275.00400009", "00400275.00401001")
        asked = [query.keys.get(k, archive.Universal()) for k in keys]
        if all(isinstance(a, archive.Universal) for a in asked):
            return True
        return any(
            all(matches(k, "SH", v, a) for k, v, a in zip(keys, item, asked, strict=True))
            for item in serie["requests"]
        )

    def is_asked(level: str) -> bool:
        return any(KEYS[t].level == level for t in query.keys if t in KEYS)

    def fits_series(e: dict) -> bool:
        return fits("series", serie=e) and requested(e)

    def instances_of(e: dict) -> list[dict]:
        return [i for i in rows["instances"] if i["series"] == e["uid"] and fits("instance", instance=i)]

    found = set()
    for s in studies.values():
        patient = patients[s["patient"]]
        shown = patient if query.level == "patient" else {**patient, **s}
        if not fits("patient", patient=shown) or not fits("study", study=s):
            continue
        alive = [e for e in rows["series"] if e["study"] == s["uid"] and fits_series(e)]
        if query.level in ("patient", "study"):
            if is_asked("instance"):
                alive = [e for e in alive if instances_of(e)]
            if alive:
                found.add(s["patient"] if query.level == "patient" else s["uid"])
        elif query.level == "series":
            found |= {e["uid"] for e in alive if not is_asked("instance") or instances_of(e)}
        else:
            found |= {i["sop_uid"] for e in alive for i in instances_of(e)}
    assert series
    return found


COLUMNS = {
    "PatientName": "name",
    "PatientID": "patient_id",
    "IssuerOfPatientID": "issuer",
    "PatientBirthDate": "birth_date",
    "PatientSex": "sex",
    "StudyInstanceUID": "uid",
    "StudyDate": "date",
    "StudyTime": "time",
    "AccessionNumber": "accession",
    "ReferringPhysicianName": "referring",
    "StudyDescription": "description",
    "StudyID": "study_id",
    "SeriesInstanceUID": "uid",
    "Modality": "modality",
    "SeriesDate": "date",
    "SeriesTime": "time",
    "SeriesDescription": "description",
    "BodyPartExamined": "body_part",
    "SeriesNumber": "number",
    "PerformedProcedureStepStartDate": "performed_date",
    "PerformedProcedureStepStartTime": "performed_time",
    "SOPInstanceUID": "sop_uid",
    "SOPClassUID": "sop_class",
    "AvailableTransferSyntaxUID": "transfer_syntax",
    "InstanceNumber": "number",
    "StationName": "station",
}
STATION = replace(KEYS["00080050"], tag="00081010", keyword="StationName")


def fits_key(query, key, match, patient, study, serie, instance) -> bool:
    if key.keyword == "ModalitiesInStudy":
        kinds = study["modalities"].split("\\")
        return any(matches(key.tag, "CS", kind, match) for kind in kinds)
    if key.keyword == "SOPClassesInStudy":
        kinds = {i["sop_class"] for i in made()["instances"] if i["study"] == study["uid"]}
        return any(matches(key.tag, "UI", kind, match) for kind in kinds)
    if key.kind == "value" and key.tag != "00081010":
        return True  # together, by `requested`
    row = {"patient": patient, "study": study, "series": serie, "instance": instance}[key.level]
    value = row[COLUMNS[key.keyword]]
    if key.vr == "PN" and query.fuzzy and isinstance(match, archive.Single | archive.Wildcard):
        asked = match.pattern if isinstance(match, archive.Wildcard) else match.value
        if not set(asked.rstrip("*")) & set("*?="):
            tokens = plain(asked.rstrip("*")).split()
            groups = [plain(g).split() for g in value.split("=")]
            return not tokens or any(all(any(near(t, w) for w in g) for t in tokens) for g in groups)
    both = {"00080020", "00080030"} <= query.keys.keys()
    if query.combined_datetime and both and key.keyword in ("StudyDate", "StudyTime"):
        return moment_fits(query, study)
    return matches(key.tag, key.vr, value, match)


def moment_fits(query: archive.Query, study: dict) -> bool:
    dates, times = query.keys["00080020"], query.keys["00080030"]
    date, time = study["date"], study["time"]
    low = dates.low and dates.low + "00000000"[len(dates.low) :]
    high = dates.high and dates.high + "99999999"[len(dates.high) :]
    if not date or date < low or (high and date > high):
        return False
    full = time + "000000.000000"[len(time) :]
    if low == date and times.low and (not time or full < times.low + "000000.000000"[len(times.low) :]):
        return False
    late = times.high and times.high + "999999.999999"[len(times.high) :]
    return not (high == date and late and (not time or full > late))


# What is asked


def patterns(values: tuple[str, ...]) -> st.SearchStrategy[str]:
    """A value as it is held, or with some of its letters replaced by wildcards, or in another case."""

    @st.composite
    def build(draw) -> str:
        value = draw(st.sampled_from([v for v in values if v]))
        if draw(st.booleans()):
            return value
        cut = draw(st.integers(0, len(value)))
        end = draw(st.integers(cut, len(value)))
        middle = draw(st.sampled_from(("*", "?", "")))
        return draw(
            st.sampled_from((value[:cut] + middle + value[end:], "*" + value[cut:end] + "*", value.upper()))
        )

    return build().filter(bool)


def asked_of(tag: str) -> st.SearchStrategy[archive.Match]:
    key = KEYS.get(tag) or STATION
    rows = made()
    if key.vr == "DA":
        ends = st.sampled_from(("20240101", "20240131", "19600102", "2024", ""))
        texts = st.one_of(
            st.builds("{}-{}".format, ends, ends), st.sampled_from(("20240101", "19991231", '""'))
        )
    elif key.vr == "TM":
        ends = st.sampled_from(("10", "1015", "101500.5", "23", ""))
        texts = st.one_of(st.builds("{}-{}".format, ends, ends), st.sampled_from(("10:15", "101500", '""')))
    elif key.vr == "IS":
        texts = st.sampled_from(("1", "02", "7"))
    elif key.vr == "UI":
        table = {"series": "series", "instance": "instances"}.get(key.level, "studies")
        column = COLUMNS.get(key.keyword, "uid")
        known = CLASSES if "Class" in key.keyword else tuple(r[column] for r in rows[table])
        texts = st.lists(st.sampled_from(known), min_size=1, max_size=3).map("\\".join)
    elif key.vr == "PN":
        texts = st.one_of(patterns(NAMES), st.sampled_from(("=山田*", "Y*=洪*", "*太郎*", "*an*", "^", '""')))
    elif key.keyword in ("Modality", "ModalitiesInStudy"):
        texts = st.sampled_from(("CT", "MR", "CT\\SR", "?R", "XX"))
    elif key.keyword == "StationName":
        texts = st.one_of(patterns(STATIONS), st.just('""'))
    elif key.kind == "value":
        texts = patterns(IDS)
    else:
        texts = st.one_of(patterns(TEXTS + IDS + ("CHEST", "M", "A")), st.just('""'))
    return texts.map(lambda t: archive.parse_match(tag, key.vr, t))


@st.composite
def queries(draw) -> archive.Query:
    tags = draw(st.lists(st.sampled_from([*KEYS, "00081010"]), max_size=3, unique=True))
    keys = {tag: draw(asked_of(tag)) for tag in tags}
    ranges = all(isinstance(keys.get(t), archive.Range) for t in ("00080020", "00080030"))
    return archive.Query(
        draw(st.sampled_from(("patient", "study", "series", "instance"))),
        keys,
        fuzzy=draw(st.booleans()),
        labels=draw(st.sampled_from(((), (), ("teaching",), ("teaching", "trial")))),
        combined_datetime=ranges and draw(st.booleans()),
    )


IDENTITY = {"patient": None, "study": "0020000D", "series": "0020000E", "instance": "00080018"}


def found(db, query: archive.Query, **page) -> list[str]:
    rows = _store.search_of(db, query).page(1000, 0, None) if query.level == "patient" else None
    if rows is not None:
        return [row[-1] for row in rows]
    items = archive.search(db, query, limit=1000, **page).items
    return [item[IDENTITY[query.level]]["Value"][0] for item in items]


@settings(max_examples=120, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(query=queries())
def test_what_is_found_is_what_matches(held, query):
    with held.reading() as db:
        uids = found(db, query)
        assert len(uids) == len(set(uids))
        assert set(uids) == expected(query), query
        assert archive.count(db, query) == len(uids)
