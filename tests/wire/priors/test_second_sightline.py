"""Another Sightline as a source of priors: two installations, two processes, two databases, real wires."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.care.clinic import make_slice
from tests.conftest import end, free_port

PASSWORD = "correct horse battery staple"
SIGHTLINE = (sys.executable, "-m", "sightline")
WAYS = ("get", "move", "web")
# One patient for each way, so that what one test fetches is not there for the next.
NOW, LAST, KNEE, OTHER = ({way: f"1.2.{n}.{k}" for k, way in enumerate(WAYS)} for n in (10, 11, 12, 13))

KNEE_TAGS = {"StudyDescription": "MR knee left", "Modality": "MR", "BodyPartExamined": "KNEE"}


@dataclass
class Installation:
    """A Sightline of its own: `sightline serve` on a folder of its own, and its HTTP client."""

    title: str
    folder: Path
    http_port: int = field(default_factory=free_port)
    dicom_port: int = field(default_factory=free_port)

    def run(self, *arguments: str) -> str:
        """Run a command of the installation."""
        command = [*SIGHTLINE, *arguments]
        told = subprocess.check_output(command, env=self._environment, timeout=120, text=True)
        return told.strip()

    @property
    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SIGHTLINE_")}
        return kept | {
            "SIGHTLINE_DATA": str(self.folder / "data"),
            "SIGHTLINE_AE_TITLE": self.title,
            "SIGHTLINE_ADMIN_PASSWORD": PASSWORD,
            "SIGHTLINE_PRIORS_ON_ARRIVAL": "false",
            "SIGHTLINE_PRIORS_ATTEMPTS": "1",
        }

    def serve(self) -> "subprocess.Popen[bytes]":
        """Start it; it answers once `log_in` returns."""
        ports = ("--http-port", str(self.http_port), "--dicom-port", str(self.dicom_port))
        with (self.folder / "server.log").open("wb") as log:
            return subprocess.Popen(
                [*SIGHTLINE, "serve", *ports], env=self._environment, stdout=log, stderr=log
            )

    def log_in(self) -> httpx.Client:
        """Return a client of the administrator, once the server answers."""
        address = f"http://127.0.0.1:{self.http_port}"
        http = httpx.Client(base_url=address, headers={"X-Sightline": "1"}, timeout=20)
        for _ in range(300):
            try:
                body = {"username": "admin", "password": PASSWORD}
                if http.post("/api/session", json=body).is_success:
                    return http
            except httpx.TransportError:
                pass
            time.sleep(0.2)
        pytest.fail("the server does not answer; see server.log")


@dataclass
class Pair:
    """A reading room, and the archive that it asks."""

    reader: httpx.Client
    archive: httpx.Client
    token: str
    of_reader: Installation
    of_archive: Installation

    def ask(self, way: str, done: Callable[[dict[str, Any]], bool], *, token: str = "") -> dict[str, Any]:
        """Ask the archive in one way only, once nothing asks it any more; wait until what is known is so."""
        for _ in range(300):
            jobs = self.reader.get("/api/status").json()["jobs"]
            if not jobs["waiting"] and not jobs["running"]:
                break
            time.sleep(0.2)
        peer = {"host": "127.0.0.1", "port": self.of_archive.dicom_port}
        peer |= {"priors": way != "web", "retrieve_by": "get" if way == "web" else way}
        url = f"http://127.0.0.1:{self.of_archive.http_port}/dicom-web"
        server = {"url": url, "auth_kind": "bearer", "secret": token or self.token, "priors": way == "web"}
        assert self.reader.put("/api/peers/ARCHIVE", json=peer).is_success
        assert self.reader.put("/api/transfers/servers/ARCHIVE-WEB", json=server).is_success
        asked = self.reader.post(f"/api/studies/{NOW[way]}/priors/search", json={"trigger": "person"})
        assert asked.status_code == 202
        return self.wait(way, done)

    def wait(self, way: str, done: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Return what is known of priors elsewhere, once it is as wanted or after a minute."""
        for _ in range(300):
            known = self.reader.get(f"/api/studies/{NOW[way]}/priors/elsewhere").json()
            if done(known):
                break
            time.sleep(0.2)
        return dict(known)


def states(known: dict[str, Any]) -> dict[str, str]:
    return {one["study_uid"]: one["state"] for one in known["items"]}


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """A reading room with a study for each way, and an archive with three earlier ones for each of them."""
    room, archive = (
        Installation(title, tmp_path_factory.mktemp(title.lower())) for title in ("READER", "ARCHIVE")
    )
    for n, way in enumerate(WAYS):
        ours = {"PatientID": f"471{n}", "IssuerOfPatientID": "NORTH"}
        told = (
            (room, NOW, "20260601", ours),
            (archive, LAST, "20260101", ours),
            (archive, KNEE, "20260201", ours | KNEE_TAGS),
            (archive, OTHER, "20250301", ours | {"PatientName": "Byron^Annabella"}),
        )  # fmt: skip
        for where, uids, date, about in told:
            folder = where.folder / "incoming"
            folder.mkdir(exist_ok=True)
            for image in (1, 2, 3):
                made = make_slice(image, uids[way], f"{uids[way]}.1", StudyDate=date, **about)
                (folder / f"{uids[way]}-{image}.dcm").write_bytes(made)
    running = []
    try:
        for one in (room, archive):
            one.run("import", "--no-wait", str(one.folder / "incoming"))
            running.append(one.serve())
        reader, archivist = room.log_in(), archive.log_in()
        # To send by C-MOVE it must know where the reading room listens.
        peer = {"host": "127.0.0.1", "port": room.dicom_port}
        assert archivist.put("/api/peers/READER", json=peer).is_success
        token = archive.run("token", "create", "--user", "admin", "--scope", "archive.read")
        yield Pair(reader, archivist, token, room, archive)
    finally:
        for process in running:
            end(process)


@pytest.mark.parametrize("way", WAYS)
def test_priors_come_from_another_sightline_to_the_right_patient_and_the_doubtful_one_by_a_persons_word(
    pair, way
):
    known = pair.ask(way, lambda known: "held" in states(known).values())

    assert states(known) == {LAST[way]: "held", KNEE[way]: "left", OTHER[way]: "doubtful"}
    assert known["text"] == "1 needs a person"
    doubtful = next(one for one in known["items"] if one["state"] == "doubtful")
    assert (doubtful["reason"], doubtful["images"]) == ("the name differs", 3)
    assert pair.reader.post(f"/api/studies/{NOW[way]}/priors/{OTHER[way]}/take").status_code == 202
    taken = pair.wait(way, lambda known: states(known)[OTHER[way]] == "held")
    assert states(taken)[OTHER[way]] == "held"
    reading = pair.reader.get(f"/api/studies/{NOW[way]}/reading").json()
    assert {prior["study_uid"] for prior in reading["priors"]} == {LAST[way], OTHER[way]}
    assert listed(pair.reader) == set(NOW.values())


def listed(http: httpx.Client) -> set[str]:
    """Return what stands on the worklist as work to be read, open or done."""
    rows = http.get("/api/worklist", params={"state": "open"}).json()["items"]
    return {row["study_uid"] for row in rows}


@pytest.mark.parametrize("way", WAYS)
def test_what_came_is_byte_for_byte_what_the_other_holds(pair, way):
    pair.ask(way, lambda known: states(known).get(LAST[way]) == "held")
    path = f"/dicom-web/studies/{LAST[way]}/series/{LAST[way]}.1/instances/{LAST[way]}.1.2/frames/1"

    here, there = pair.reader.get(path), pair.archive.get(path)

    assert here.status_code == there.status_code == 200
    assert parts(here) == parts(there)


def parts(answer: httpx.Response) -> bytes:
    """Return the pixels of a multipart answer; the mark between its parts is another each time."""
    mark = answer.headers["content-type"].partition("boundary=")[2].strip('"').encode()
    return answer.content.replace(mark, b"")


def test_a_token_that_the_other_does_not_accept_is_told_with_what_to_do(pair):
    known = pair.ask("web", lambda known: known["sources"] and _failed(known, "ARCHIVE-WEB"), token="wrong")

    (asked,) = (one for one in known["sources"] if one["source"] == "ARCHIVE-WEB")
    assert asked["state"] == "failed"
    assert asked["error"] == "The server does not accept the secret; enter it anew."
    assert "ARCHIVE-WEB has not answered" in known["text"]


def _failed(known: dict[str, Any], source: str) -> bool:
    return any(one["source"] == source and one["state"] == "failed" for one in known["sources"])
