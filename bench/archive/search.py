"""How fast studies are found: `python bench/archive/search.py [--studies 200000]`.

Fills an index on SQLite with made-up studies (no objects) and prints p50 and p95 of each kind of search.
"""

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sightline.app.tables  # noqa: F401
from sightline.record import archive
from sightline.record.archive import _store
from sightline.runtime.db import Db, metadata, open_database

FAMILIES = [a + b for a in ("Schm", "Mül", "Gar", "Tan", "Kow", "Ros", "Sil", "Ng") for b in "aeiou"]
MODALITIES = ["CT"] * 30 + ["MR"] * 25 + ["DX"] * 35 + ["US"] * 9 + ["PT"]


def fill(db: Db, count: int) -> None:
    """Write `count` studies of a third as many patients."""
    rng = random.Random(1)
    now = datetime.now(UTC)
    patients = [
        {
            "id": f"{n:032x}",
            "identity": f"id||P{n}",
            "issuer": "",
            "patient_id": f"P{n}",
            "birth_date": "",
            "sex": "",
            "name": (name := f"{rng.choice(FAMILIES)}{n % 997}^A"),
            "name_norm": archive.normalise_name(name),
        }
        for n in range(count // 3 + 1)
    ]
    _write(db, _store.patients, iter(patients))
    rows = [_study(rng, n, rng.choice(patients), now) for n in range(count)]
    _write(db, _store.studies, iter(rows))
    kinds = ({"modality": r["modalities"], "date": r["date"], "study": r["uid"]} for r in rows)
    _write(db, _store.study_modalities, kinds)


def _study(rng: random.Random, n: int, patient: dict[str, Any], now: datetime) -> dict[str, Any]:
    date = f"{rng.randint(2010, 2024)}{rng.randint(1, 12):02d}{rng.randint(1, 28):02d}"
    shown = {name: patient[name] for name in ("patient_id", "name", "name_norm", "birth_date", "sex")}
    texts = dict.fromkeys(("time", "study_id", "description", "referring", "body_part"), "")
    counts = dict.fromkeys(("series_count", "instance_count", "image_count", "bytes"), 1)
    return {
        "uid": f"1.2.{n}",
        "patient": patient["id"],
        **shown,
        **texts,
        **counts,
        "date": date,
        "accession": f"A{n}",
        "modalities": rng.choice(MODALITIES),
        "simulated": False,
        "first_received": now,
        "last_received": now,
        "settled_at": now,
    }


def _write(db: Db, table: Any, rows: Iterator[dict[str, Any]]) -> None:
    while batch := [row for _, row in zip(range(20_000), rows, strict=False)]:
        db.execute(table.insert(), batch)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=200_000)
    count = parser.parse_args().studies
    rng = random.Random(2)
    searches = {
        "newest": archive.StudyQuery,
        "PatientID": lambda: archive.StudyQuery(patient_id=f"P{rng.randrange(count // 3)}"),
        "accession": lambda: archive.StudyQuery(accession=f"A{rng.randrange(count)}"),
        "name prefix": lambda: archive.StudyQuery(name=f"{rng.choice(FAMILIES)}{rng.randrange(99)}"),
        "name prefix + year + CT": lambda: archive.StudyQuery(
            name=rng.choice(FAMILIES), modality="CT", since="20200101", until="20201231"
        ),
        "30 days + CT": lambda: archive.StudyQuery(modality="CT", since="20200301", until="20200330"),
        "year + rare modality": lambda: archive.StudyQuery(modality="PT", since="20200101", until="20201231"),
    }
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(f"sqlite:///{Path(folder)}/index.db")
        metadata.create_all(database.engine)
        with database.transaction() as db:
            fill(db, count)
        for name, make in searches.items():
            times = []
            for _ in range(100):
                started = time.perf_counter()
                with database.reading() as db:
                    archive.find_studies(db, make(), limit=25)
                times.append((time.perf_counter() - started) * 1000)
            p50, p95 = statistics.median(times), sorted(times)[94]
            print(f"{name:26s} p50 {p50:7.2f} ms   p95 {p95:7.2f} ms")


if __name__ == "__main__":
    main()
