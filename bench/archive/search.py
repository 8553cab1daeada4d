"""How fast studies are found, and that it hangs on the page and not on the archive.

    python bench/archive/search.py [--studies 1000000] [--small 10000] [--keep FOLDER] [--served]

Fills two archives with made-up studies (two series each, one object in each, no bytes) on SQLite and on
PostgreSQL, once, and asks each kind of search of both, access check included; with `--served` over QIDO-RS
and C-FIND too, of a server as in production. Prints p50 and p95 of each in ms, and how many times the value
of the small archive that is. Bar: p95 at most 20 ms (names with typos: 100 ms) and at most three times its
value in the small archive.
"""

import argparse
import http.client
import json
import os
import random
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from pydicom import Dataset
from pydicom.datadict import dictionary_VR
from pynetdicom.dsutils import encode as encode_dataset
from sqlalchemy import create_engine, text

from sightline.app.installation import migrate
from sightline.record import archive
from sightline.record.archive import _search_index, _store
from sightline.runtime.db import Database, Db, open_database
from sightline.trust import access
from sightline.wire.dimse import _upper_pdus as pdus

sys.path.insert(0, str(Path(__file__).parents[2]))
from bench.peers.scu import Scu
from bench.peers.sightline import PASSWORD, Sightline, sightline

SEED = 20260101
BAR_MS, BAR_FUZZY_MS, BAR_RATIO = 20.0, 100.0, 3.0
ONSETS = "b br d dr f fr g gr h j k kl kr l m n p r s sch st t tr v w z".split()
VOWELS = "a e i o u au ei ie".split()
CODAS = ["", "", "l", "n", "r", "s", "t", "ck", "mann", "er", "ski", "sen", "nen"]
MODALITIES = ["CT"] * 30 + ["MR"] * 25 + ["DX"] * 34 + ["US"] * 9 + ["MG"] + ["PT"]
CLASSES = {"CT": "1.2.840.10008.5.1.4.1.1.2", "MR": "1.2.840.10008.5.1.4.1.1.4"}
OTHER_CLASS = "1.2.840.10008.5.1.4.1.1.7"
FIND, IMPLICIT = "1.2.840.10008.5.1.4.1.2.2.1", "1.2.840.10008.1.2"
BATCH = 10_000
PAGE = 25
NAME, PATIENT_ID, DATE, MODALITIES_IN, STUDY = "00100010", "00100020", "00080020", "00080061", "0020000D"
# What a reader's list asks back.
RETURNED = (NAME, PATIENT_ID, DATE, MODALITIES_IN, STUDY, "00080030", "00080050", "00081030", "00201208")


def surnames(rng: random.Random, count: int) -> list[str]:
    """Return made-up family names, each once."""
    found: dict[str, None] = {}
    while len(found) < count:
        parts = [rng.choice(ONSETS) + rng.choice(VOWELS) for _ in range(rng.choice((1, 2, 2, 2, 3)))]
        found["".join(parts).capitalize() + rng.choice(CODAS)] = None
    return list(found)


class People:
    """The same people in an archive of any size: common names are common, rare ones rare."""

    def __init__(self) -> None:
        rng = random.Random(SEED)
        self.family = surnames(rng, 30_000)
        self.given = surnames(rng, 3_000)
        self._weights = [1 / (n + 20) for n in range(len(self.family))]
        self._given_weights = [1 / (n + 20) for n in range(len(self.given))]
        self._rng = rng

    def patients(self, count: int) -> Iterator[dict[str, Any]]:
        """Yield patients."""
        rng = self._rng
        families = rng.choices(self.family, self._weights, k=count)
        given = rng.choices(self.given, self._given_weights, k=count)
        for n in range(count):
            name = f"{families[n]}^{given[n]}" + ("=山田^太郎" if n % 5000 == 17 else "")
            yield {
                "id": f"{(n * 0x9E3779B97F4A7C15) % 2**128:032x}",
                "identity": f"id|HOSPITAL|{n:08d}",
                "issuer": "HOSPITAL",
                "patient_id": f"{n:08d}",
                "name": name,
                "name_norm": archive.normalise_name(name),
                "birth_date": f"{rng.randint(1930, 2015)}{rng.randint(1, 12):02d}{rng.randint(1, 28):02d}",
                "sex": rng.choice("MFFMO"),
            }


def fill(database: Database, count: int) -> None:
    """Write `count` studies of a third as many patients."""
    rng = random.Random(SEED + 1)
    patients = list(People().patients(count // 3 + 1))
    _write(database, _store.patients, iter(patients))
    referring = surnames(rng, 200)
    now = datetime.now(UTC)
    packed = zlib.compress(json.dumps({"00080070": {"vr": "LO", "Value": ["Maker"]}}).encode(), 1)
    for start in range(0, count, BATCH):
        rows = [
            study_row(rng, n, patients[rng.randrange(len(patients))], rng.choice(referring), now)
            for n in range(start, min(start + BATCH, count))
        ]
        series = [series_row(study, k, now) for study in rows for k in (1, 2)]
        _write(database, _store.studies, iter(rows))
        kinds = ({"modality": r["modalities"], "date": r["date"], "study": r["uid"]} for r in rows)
        _write(database, _store.study_modalities, kinds)
        _write(database, _store.series, iter(series))
        _write(database, _store.instances, (instance_row(s, packed, now) for s in series))
        if start and start % 100_000 == 0:
            print(f"  {start:,} studies", file=sys.stderr, flush=True)
    with database.transaction() as db:
        _store.compact_counts(db)  # as the daily tidying does
    if not database.is_sqlite:
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
            db.exec_driver_sql("VACUUM ANALYZE")


def study_row(
    rng: random.Random, n: int, patient: dict[str, Any], referring: str, now: datetime
) -> dict[str, Any]:
    """Return a study of a patient."""
    shown = {name: patient[name] for name in ("patient_id", "name", "name_norm", "birth_date", "sex")}
    modality = rng.choice(MODALITIES)
    description = f"{modality} {rng.choice(('chest', 'head', 'abdomen', 'spine', 'knee'))}"
    return {
        "uid": f"1.2.840.99999.{(n * 2654435761) % 2**32}.{n}",
        "patient": patient["id"],
        **shown,
        "date": f"{rng.randint(2010, 2024)}{rng.randint(1, 12):02d}{rng.randint(1, 28):02d}",
        "time": f"{rng.randint(6, 20):02d}{rng.randint(0, 59):02d}00",
        "accession": f"A{n:08d}",
        "study_id": str(n),
        "description": description,
        "description_norm": description.lower(),
        "referring": f"{referring}^Doctor",
        "referring_norm": archive.normalise_name(f"{referring}^Doctor"),
        "body_part": "",
        "modalities": modality,
        **dict.fromkeys(("series_count", "instance_count", "image_count"), 2),
        "bytes": 1_000_000,
        "simulated": False,
        **dict.fromkeys(("first_received", "last_received", "settled_at"), now),
    }


def series_row(study: dict[str, Any], number: int, now: datetime) -> dict[str, Any]:
    """Return a series of a study."""
    return {
        "uid": f"{study['uid']}.{number}",
        "study": study["uid"],
        "modality": study["modalities"],
        "number": number,
        "description": "axial",
        "body_part": "",
        "date": study["date"],
        "time": study["time"],
        "performed_date": study["date"],
        "performed_time": study["time"],
        "searched": _search_index.mark_of(()),
        **dict.fromkeys(("instance_count", "frame_count", "generation"), 1),
        "bytes": 500_000,
        **dict.fromkeys(("first_received", "last_received"), now),
    }


def instance_row(series: dict[str, Any], packed: bytes, now: datetime) -> dict[str, Any]:
    """Return the one object of a series."""
    return {
        "sop_uid": f"{series['uid']}.1",
        "series": series["uid"],
        "study": series["study"],
        "sop_class": CLASSES.get(series["modality"], OTHER_CLASS),
        "number": 1,
        "transfer_syntax": "1.2.840.10008.1.2.1",
        "blob": f"instances/20260101/00/{series['uid']}.dcm",
        "size": 500_000,
        "hash": series["uid"][-64:],
        "position": "",
        "received_at": now,
        "metadata_gz": packed,
    }


def _write(database: Database, table: Any, rows: Iterator[dict[str, Any]]) -> None:
    while batch := [row for _, row in zip(range(BATCH), rows, strict=False)]:
        with database.transaction() as db:
            db.execute(table.insert(), batch)


@dataclass(frozen=True)
class Search:
    """One search, said once: asked of the archive's face, over QIDO-RS and over C-FIND."""

    keys: dict[str, str]
    level: str = "study"
    fuzzy: bool = False
    offset: int = 0
    after: tuple[str, ...] | None = None
    counts: bool = False

    def query(self) -> archive.Query:
        vrs = {tag: dictionary_VR(int(tag, 16)) for tag in self.keys}
        matches = {tag: archive.parse_match(tag, vrs[tag], value) for tag, value in self.keys.items()}
        return archive.Query(self.level, matches, fuzzy=self.fuzzy)  # type: ignore[arg-type]

    def ask(self, db: Db) -> object:
        if self.counts:
            return archive.count(db, self.query())
        return archive.search(db, self.query(), limit=PAGE, offset=self.offset, after=self.after)

    def path(self) -> str:
        options = {"limit": PAGE, "offset": self.offset, "fuzzymatching": str(self.fuzzy).lower()}
        names = {"study": "studies", "series": "series", "instance": "instances"}
        return f"/dicom-web/{names[self.level]}?{urlencode(self.keys | options)}"

    def identifier(self) -> Dataset:
        asked = Dataset()
        asked.QueryRetrieveLevel = {"instance": "IMAGE"}.get(self.level, self.level.upper())
        asked.SpecificCharacterSet = "ISO_IR 192"
        for tag, value in {**dict.fromkeys(RETURNED, ""), **self.keys}.items():
            asked.add_new(int(tag, 16), dictionary_VR(int(tag, 16)), value)
        return asked


def searches(count: int) -> dict[str, Callable[[], Search]]:
    """Return each kind of search by name: what makes one of it at random."""
    rng = random.Random(SEED + 2)
    people = People()
    names = [p["name"].split("=")[0].split("^") for p in people.patients(count // 3 + 1)]

    def family() -> str:
        return str(rng.choice(names)[0])

    def year() -> str:
        value = rng.randint(2011, 2023)
        return f"{value}0101-{value}1231"

    def days() -> str:
        month = f"{rng.randint(2011, 2023)}{rng.randint(1, 12):02d}"
        return f"{month}01-{month}30"

    def uid() -> str:
        n = rng.randrange(count)
        return f"1.2.840.99999.{(n * 2654435761) % 2**32}.{n}"

    def within(name: str) -> str:
        at = rng.randrange(max(len(name) - 4, 1))
        return name[at : at + 4]

    def typo(name: str) -> str:
        at = rng.randrange(1, len(name))
        return name[:at] + rng.choice(("", rng.choice("aeiou"), name[at] + name[at])) + name[at + 1 :]

    def patient_id() -> str:
        return f"{rng.randrange(count // 3):08d}"

    def later() -> Search:
        day = f"{rng.randint(2012, 2020)}{rng.randint(1, 12):02d}15"
        return Search({MODALITIES_IN: "CT", DATE: "20110101-20201231"}, after=(day, "1.2.840"))

    def counted(**keys: str) -> Search:
        return Search({tag[1:]: value for tag, value in keys.items()}, counts=True)

    return {
        "newest": lambda: Search({}),
        "PatientID": lambda: Search({PATIENT_ID: patient_id()}),
        "accession": lambda: Search({"00080050": f"A{rng.randrange(count):08d}"}),
        "study UID": lambda: Search({STUDY: uid()}),
        "whole name": lambda: Search({NAME: "^".join(rng.choice(names))}),
        "name prefix, 5 letters": lambda: Search({NAME: family()[:5] + "*"}),
        "name infix": lambda: Search({NAME: f"*{within(family())}*"}),
        "name, ideographic": lambda: Search({NAME: "山田*"}),
        "name, fuzzy": lambda: Search({NAME: typo(family())}, fuzzy=True),
        "both names, fuzzy": lambda: Search({NAME: "^".join(map(typo, rng.choice(names)))}, fuzzy=True),
        "30 days + CT": lambda: Search({DATE: days(), MODALITIES_IN: "CT"}),
        "year + rare modality": lambda: Search({DATE: year(), MODALITIES_IN: "PT"}),
        "year + CT": lambda: Search({DATE: year(), MODALITIES_IN: "CT"}),
        "CT, page 40 by offset": lambda: Search({MODALITIES_IN: "CT"}, offset=PAGE * 39),
        "CT, ten years, by key": later,
        "name prefix + year + CT": lambda: Search(
            {NAME: family()[:4] + "*", DATE: year(), MODALITIES_IN: "CT"}
        ),
        "referring, prefix": lambda: Search({"00080090": "S*"}),
        "description": lambda: Search({"00081030": "*chest*"}),
        "patients by name": lambda: Search({NAME: family()[:5] + "*"}, "patient"),
        "series of a study": lambda: Search({STUDY: uid()}, "series"),
        "series, MR + year": lambda: Search({"00080060": "MR", DATE: year()}, "series"),
        "instances of a series": lambda: Search({"0020000E": uid() + ".1"}, "instance"),
        "count PatientID": lambda: counted(_00100020=patient_id()),
        "count name prefix": lambda: counted(_00100010=family()[:5] + "*"),
        "count 30 days + CT": lambda: counted(_00080020=days(), _00080061="CT"),
        "count year + rare modality": lambda: counted(_00080020=year(), _00080061="PT"),
        "count year + CT": lambda: counted(_00080020=year(), _00080061="CT"),
    }


Timing = Callable[[Search], float]
Figures = dict[str, tuple[float, float]]


def measure(timing: Timing, count: int, given: argparse.Namespace, skip: Callable[[Search], bool]) -> Figures:
    """Return p50 and p95 of each search in ms; of one asked more than once, the quickest."""
    found = {}
    for name, make in searches(count).items():
        asked = [make() for _ in range(given.rounds + 5)]
        if not skip(asked[0]):
            times = sorted([min(timing(s) for _ in range(given.repeat)) for s in asked][5:])
            found[name] = statistics.median(times), times[int(len(times) * 0.95) - 1]
    return found


def on_face(database: Database) -> Timing:
    """Time the archive's own search, access check included."""
    person = access.operator("bench")

    def timing(search: Search) -> float:
        started = time.perf_counter()
        with database.reading() as db:
            access.require(person, "archive.read")
            search.ask(db)
        return (time.perf_counter() - started) * 1000

    return timing


def over_http(server: Sightline, token: str) -> Timing:
    """Time QIDO-RS on one connection that stays."""
    connection = http.client.HTTPConnection("127.0.0.1", server.http_port, timeout=60)
    headers = {"Accept": "application/dicom+json", "Authorization": f"Bearer {token}"}

    def timing(search: Search) -> float:
        started = time.perf_counter()
        connection.request("GET", search.path(), headers=headers)
        response = connection.getresponse()
        response.read()
        if response.status not in {200, 204}:
            raise SystemExit(f"{search.path()} was answered with {response.status}.")
        return (time.perf_counter() - started) * 1000

    return timing


def over_dimse(server: Sightline) -> Timing:
    """Time C-FIND up to the first page of answers, on an association that is open; then it is given up.

    The client only counts answers: what is measured is the server.
    """

    def timing(search: Search) -> float:
        scu = Scu(server.dicom_port, contexts=((FIND, IMPLICIT),), calling="BENCH")
        scu.associate()
        message = pdus.encode_message(1, _find_command(), _encoded(search.identifier()), 16_384)
        started = time.perf_counter()
        scu.connection.sendall(message)
        found = 0
        while found < PAGE and (status := _next_status(scu)) != 0:
            if status not in {0xFF00, 0xFF01}:
                raise SystemExit(f"C-FIND was answered with {status:04X}.")
            found += 1
        took = (time.perf_counter() - started) * 1000
        scu.connection.close()
        return took

    return timing


def _encoded(dataset: Dataset) -> bytes:
    encoded = encode_dataset(dataset, True, True)
    assert encoded is not None
    return encoded


def _find_command() -> bytes:
    """Return the command set of a C-FIND-RQ (PS3.7 9.3.2.1)."""
    command = Dataset()
    command.AffectedSOPClassUID = FIND
    command.CommandField, command.MessageID, command.Priority, command.CommandDataSetType = 0x20, 1, 0, 1
    body = _encoded(command)
    return struct.pack("<HHII", 0, 0, 4, len(body)) + body


def _next_status(scu: Scu) -> int:
    """Return the status of the next answer; the datasets between are skipped."""
    while True:
        kind, body = scu.read_pdu()
        if kind != pdus.P_DATA:
            raise SystemExit(f"PDU {kind} instead of an answer.")
        for _, control, data in pdus.decode_value_items(body):
            at = 0
            while control & pdus.COMMAND and at < len(data):
                _, number, length = struct.unpack_from("<HHI", data, at)
                if number == 0x0900:
                    return int(struct.unpack_from("<H", data, at + 8)[0])
                at += 8 + length


def served(url: str, count: int, given: argparse.Namespace) -> dict[str, Figures]:
    """Return the figures of QIDO-RS and of C-FIND at a server on the archive at `url`."""
    with sightline(SIGHTLINE_DATABASE_URL=url) as server:
        token = token_of(server, url)
        by_web = measure(over_http(server, token), count, given, _is_not_for_the_web)
        fewer = argparse.Namespace(rounds=max(given.rounds // 4, 5), repeat=1)
        by_find = measure(over_dimse(server), count, fewer, _is_not_for_find)
    return {"QIDO-RS": by_web, "C-FIND": by_find}


def _is_not_for_the_web(search: Search) -> bool:
    return search.counts or search.after is not None or search.level == "patient"


def _is_not_for_find(search: Search) -> bool:
    """C-FIND has no pages; names with typos have to be agreed on first."""
    paged = search.counts or search.after is not None or search.offset > 0
    return paged or search.fuzzy or search.level != "study" or not search.keys


def token_of(server: Sightline, url: str) -> str:
    """Make somebody who may search; return a token of theirs."""
    environment = os.environ | {"SIGHTLINE_DATA": str(server.folder), "SIGHTLINE_DATABASE_URL": url}
    run = partial(subprocess.run, capture_output=True, text=True, timeout=120, env=environment)
    command = [sys.executable, "-m", "sightline"]
    run([*command, "user", "add", "bench", "--role", "technologist", "--password-stdin"], input=PASSWORD)
    return str(run([*command, "token", "create", "--user", "bench"], check=True).stdout.split()[-1])


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """Run a PostgreSQL of our own on the data in `folder`; yield its address."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not programs:
        raise SystemExit("PostgreSQL is not installed: apt-get install postgresql, or give --only sqlite.")
    binaries = programs[-1].parent
    as_user = [] if os.geteuid() else ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    folder.mkdir(parents=True, exist_ok=True)
    if not os.geteuid():
        shutil.chown(folder, "postgres", "postgres")
    data, quiet = folder / "data", {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    if not data.exists():
        make = [binaries / "initdb", "-D", data, "-U", "sightline", "-A", "trust", "-E", "UTF8", "--locale=C"]
        subprocess.run([*as_user, *make], check=True, timeout=120, **quiet)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["listen_addresses=127.0.0.1", f"unix_socket_directories={folder}", "shared_buffers=512MB"]
    command = [binaries / "postgres", "-D", data, "-p", str(port), *(p for o in options for p in ("-c", o))]
    server = subprocess.Popen([*as_user, *command], **quiet)
    url = f"postgresql+psycopg://sightline@127.0.0.1:{port}/postgres"
    try:
        _wait_for(url)
        yield url
    finally:
        server.terminate()
        server.wait(timeout=60)


def _wait_for(url: str) -> None:
    engine = create_engine(url)
    for _ in range(300):
        try:
            with engine.connect() as db:
                db.execute(text("select 1"))
            engine.dispose()
            return
        except Exception:  # noqa: BLE001  it is starting
            time.sleep(0.1)
    raise TimeoutError("PostgreSQL did not start")


def prepared(url: str, count: int) -> Database:
    """Return the archive at `url`, filled unless it is."""
    database = open_database(url)
    migrate(database)
    with database.reading() as db:
        held = archive.count(db, archive.Query("study")) >= count
    if not held:
        started = time.perf_counter()
        fill(database, count)
        print(
            f"filled {count:,} studies in {time.perf_counter() - started:.0f} s", file=sys.stderr, flush=True
        )
    return database


def report(kind: str, small: dict[str, Any], large: dict[str, Any], sizes: tuple[int, int]) -> bool:
    """Print both archives' figures side by side; say whether all are within the bar."""
    print(f"\n{kind}: {sizes[0]:,} and {sizes[1]:,} studies{'':24s}p50 / p95 ms")
    fine = True
    for name, (p50, p95) in large.items():
        ratio = p95 / small[name][1]
        within = p95 <= (BAR_FUZZY_MS if "fuzzy" in name else BAR_MS) and ratio <= BAR_RATIO
        fine &= within
        shown = f"{small[name][0]:7.2f} /{small[name][1]:7.2f}   {p50:7.2f} /{p95:7.2f}   x{ratio:5.2f}"
        print(f"  {name:28s} {shown}   {'' if within else 'ABOVE THE BAR'}")
    return fine


def main() -> int:
    """Measure and print; the exit code says whether the bar was reached."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--studies", type=int, default=1_000_000)
    parser.add_argument("--small", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--repeat", type=int, default=1, help="ask each so often and take the quickest")
    parser.add_argument("--keep", type=Path, help="folder that keeps the filled archives for the next run")
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    parser.add_argument(
        "--served", action="store_true", help="measure QIDO-RS and C-FIND of a server as well"
    )
    given = parser.parse_args()
    scratch = tempfile.mkdtemp(prefix="sightline-bench-")
    folder = (given.keep or Path(scratch)).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    fine = True
    try:
        if given.only != "postgresql":
            sizes = (given.small, given.studies)
            fine &= compare("SQLite", [f"sqlite:///{folder}/{size}.db" for size in sizes], given)
        if given.only != "sqlite":
            with postgresql(folder / "postgresql") as url:
                urls = [_own_database(url, size) for size in (given.small, given.studies)]
                fine &= compare("PostgreSQL", urls, given)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return 0 if fine else 1


def compare(kind: str, urls: list[str], given: argparse.Namespace) -> bool:
    """Measure the small and the large archive on one kind of database; say whether all are within the bar."""
    sizes = (given.small, given.studies)
    both: list[dict[str, Figures]] = []
    for url, size in zip(urls, sizes, strict=True):
        prepared(url, size).dispose()
    for url, size in zip(urls, sizes, strict=True):
        database = open_database(url)
        figures = {"the archive's face": measure(on_face(database), size, given, lambda _: False)}
        database.dispose()
        both.append(figures | (served(url, size, given) if given.served else {}))
    reached = [report(f"{kind}, {way}", both[0][way], both[1][way], sizes) for way in both[0]]
    return all(reached)


def _own_database(url: str, size: int) -> str:
    name = f"studies_{size}"
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as db:
        if not db.scalar(text("select 1 from pg_database where datname = :n"), {"n": name}):
            db.execute(text(f"create database {name}"))
    admin.dispose()
    return url.rsplit("/", 1)[0] + f"/{name}"


if __name__ == "__main__":
    raise SystemExit(main())
