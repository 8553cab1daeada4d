"""Filling an installation with the demonstration's studies: real by manifest, simulated by computing."""

import json
import os
import secrets
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sightline.app.demo import simulated
from sightline.app.installation import Installation
from sightline.record import archive
from sightline.trust import identity
from sightline.wire import media

READER = "reader"
READER_NAME = "Dr Demo Reader"
Tell = Callable[[str], None]


def real_paths() -> list[tuple[str, Path]]:
    """Return title and path of each real study: from the shared test data, else pydicom's bundled files."""
    manifest = json.loads((Path(__file__).parent / "manifest.json").read_text())
    shared = Path(os.environ.get("SIGHTLINE_TEST_DATA", "../shared/data"))
    if shared.is_dir():
        return [(item["title"], shared / item["path"]) for item in manifest["shared"]]
    from pydicom.data import get_testdata_file

    found = [(name, get_testdata_file(name, download=False)) for name in manifest["bundled"]]
    return [(f"pydicom's {name}", Path(path)) for name, path in found if path]


def fill(installation: Installation, *, tell: Tell) -> int:
    """Import the demonstration's studies; what is held already is left as it is. Return how many studies."""
    source = archive.Source("import", "sightline demo", installation.operator)
    studies: set[str] = set()
    for title, path in real_paths():
        started = time.perf_counter()
        summary = media.import_paths(installation.store, [path], source, settings=installation.settings.media)
        studies |= set(summary.studies)
        tell(_line(title, summary, time.perf_counter() - started))
    with tempfile.TemporaryDirectory(prefix="sightline-demo-") as folder:
        for visit in simulated.VISITS:
            started = time.perf_counter()
            with installation.database.reading() as db:
                held = archive.find_studies(
                    db, archive.StudyQuery(study_uids=[simulated.uid("study", visit)])
                )
            if held.items:
                studies.add(simulated.uid("study", visit))
                continue
            path = Path(folder, f"visit{visit}")
            simulated.write_visit(path, visit)
            summary = media.import_paths(
                installation.store, [path], source, settings=installation.settings.media
            )
            studies |= set(summary.studies)
            tell(_line(f"SIMULATED chest CT, visit {visit}", summary, time.perf_counter() - started))
    return len(studies)


def _line(title: str, summary: media.ImportSummary, seconds: float) -> str:
    refused = f", {len(summary.refused)} refused" if summary.refused else ""
    return f"{summary.stored + summary.held:5d} images  {seconds:5.1f} s  {title}{refused}"


def prepare_logins(installation: Installation) -> str:
    """Make sure that the reader and the administrator can log in; return the password that both have."""
    chosen = installation.settings.server.admin_password
    password = chosen.get_secret_value() if chosen else f"demo-{secrets.token_urlsafe(9)}"
    by = installation.operator
    with installation.database.transaction() as db:
        identity.first_administrator(db, password)
        identity.set_password(db, "admin", password, by=by)
        if READER not in {account.username for account in identity.find_users(db, by=by)}:
            identity.create_user(db, READER, READER_NAME, frozenset({"radiologist"}), password, by=by)
        identity.set_password(db, READER, password, by=by)
    return password
