"""`sightline demo --check`: do all that the demonstration does, then walk the main job over HTTP.

One line a step with its time; the exit code is 0, or 1 with the step that failed.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pydicom

from sightline.app.demo import load, simulated
from sightline.app.installation import open_installation

WAIT_S = 600
NEWEST = simulated.uid("study", simulated.VISITS[-1])


class StepFailed(Exception):
    """A step of the check did not give what it must; the message says what was wrong."""


@dataclass(slots=True)
class Walk:
    """What the steps hand on to each other."""

    http: httpx.Client
    password: str
    folder: str
    reading: dict[str, Any] = field(default_factory=dict)
    report: dict[str, Any] = field(default_factory=dict)

    def get(self, path: str, **options: Any) -> httpx.Response:
        """Get or fail the step."""
        return self._done(self.http.get(path, **options))

    def send(self, method: str, path: str, body: Any) -> Any:
        """Send JSON or fail the step."""
        return self._done(self.http.request(method, path, json=body)).json()

    def _done(self, response: httpx.Response) -> httpx.Response:
        if response.is_error:
            raise StepFailed(f"{response.request.method} {response.url.path} answered {response.status_code}")
        return response


def run(*, data: str | None) -> int:
    """Run the check on `data`, or on a folder of its own that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="sightline-check-") as temporary:
        folder = data or temporary
        os.environ["SIGHTLINE_DATA"] = folder
        try:
            return _run(folder)
        except StepFailed as failure:
            print(f"FAILED  {failure}", flush=True)  # noqa: T201  this is the command's output
            return 1


def _run(folder: str) -> int:
    started = time.perf_counter()
    password = _timed("import", "studies imported", _fill)
    with (
        _server(folder) as address,
        httpx.Client(base_url=address, timeout=60, headers={"X-Sightline": "1"}) as http,
    ):
        walk = Walk(http, password, folder)
        _timed("login", "logged in", lambda: _log_in(walk))
        for name, text, step in STEPS:
            _timed(name, text, lambda step=step: step(walk))  # type: ignore[misc]
    _timed("audit", "trail verified", lambda: _verify(folder))
    print(f"ok      {time.perf_counter() - started:6.1f} s  all steps passed", flush=True)  # noqa: T201
    return 0


def _timed(name: str, text: str, work: Callable[[], Any]) -> Any:
    started = time.perf_counter()
    try:
        result = work()
    except StepFailed as failure:
        raise StepFailed(f"step {name}: {failure}") from None
    except (httpx.HTTPError, KeyError, IndexError, subprocess.SubprocessError) as error:
        raise StepFailed(f"step {name}: {type(error).__name__}: {error}") from None
    said = f"{text}: {result}" if isinstance(result, str) and name != "import" else text
    print(f"{name:<7} {time.perf_counter() - started:6.1f} s  {said}", flush=True)  # noqa: T201
    return result


def _fill() -> str:
    installation = open_installation()
    try:
        load.fill(installation, tell=lambda line: print(f"        {line}", flush=True))  # noqa: T201
        return load.prepare_logins(installation)
    finally:
        installation.close()


@contextmanager
def _server(folder: str) -> Iterator[str]:
    port, dicom = _free_port(), _free_port()
    command = [
        sys.executable, "-m", "sightline", "serve", "--data", folder,
        "--http-port", str(port), "--dicom-port", str(dicom),
    ]  # fmt: skip
    with Path(folder, "check.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603  our own command
            command, stdout=log, stderr=log
        )
        try:
            address = f"http://127.0.0.1:{port}"
            _until(lambda: _answers(f"{address}/readyz"), "the server did not start", wait_s=60)
            yield address
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()


def _log_in(walk: Walk) -> None:
    refused = walk.http.post("/api/session", json={"username": load.READER, "password": "not the password"})
    if refused.status_code != 401:
        raise StepFailed(f"a wrong password was answered with {refused.status_code}")
    walk.send("POST", "/api/session", {"username": load.READER, "password": walk.password})


def _see_worklist(walk: Walk) -> str:
    """Step 1: the worklist, most urgent first, each row with its reason."""
    _until(lambda: _compared(walk), "the analysis of the simulated patient did not end")
    _until(lambda: _rows(walk)[0]["urgency"] == "critical", "the growing nodule did not come to the top")
    rows = _rows(walk)
    if not rows or any(not row["reason"] for row in rows):
        raise StepFailed("a row has no reason, or there are no rows")
    due = [row["due_at"] for row in rows]
    if due != sorted(due):
        raise StepFailed("the rows are not in the order of their due times")
    return f"{len(rows)} studies, first: {rows[0]['reason']}"


def _rows(walk: Walk) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = walk.get("/api/worklist").json()["items"]
    return rows


def _compared(walk: Walk) -> bool:
    opened = walk.get(f"/api/studies/{NEWEST}/reading").json()
    if opened["analysis"]["state"] in ("failed", "refused"):
        raise StepFailed(f"analysis {opened['analysis']['state']}: {opened['analysis']['text']}")
    return opened["comparison"] is not None and opened["analysis"]["state"] == "done"


def _open_study(walk: Walk) -> str:
    """Step 2: images at once, beside the right prior, aligned."""
    walk.reading = walk.get(f"/api/studies/{NEWEST}/reading").json()
    prior, comparison = walk.reading["prior"], walk.reading["comparison"]
    if prior is None or prior["study"]["uid"] != simulated.uid("study", simulated.VISITS[-2]):
        raise StepFailed("the prior is not the visit before")
    for study, shown in ((NEWEST, walk.reading["current"]), (prior["study"]["uid"], prior["display"])):
        _fetch_frame(walk, study, shown["series_uid"])
    if comparison["verdict"] == "failed" or comparison["grid"] is None:
        raise StepFailed(f"alignment {comparison['verdict']}: {comparison['reason']}")
    grid = comparison["grid"]
    expected = 12
    for count in grid["shape_zyx"]:
        expected *= count
    if len(walk.get(grid["url"]).content) != expected:
        raise StepFailed("the displacement field does not fit its grid")
    return f"prior of {prior['days']} days earlier, alignment {comparison['verdict']}"


def _fetch_frame(walk: Walk, study: str, series: str) -> None:
    address = f"/dicom-web/studies/{study}/series/{series}"
    images = walk.get(f"{address}/metadata", headers={"Accept": "application/dicom+json"}).json()
    middle = images[len(images) // 2]["00080018"]["Value"][0]
    accept = {"Accept": 'multipart/related; type="application/octet-stream"; transfer-syntax=*'}
    if len(walk.get(f"{address}/instances/{middle}/frames/1", headers=accept).content) < 1000:
        raise StepFailed("a frame is empty")


def _see_change(walk: Walk) -> str:
    """Step 3: lesions linked over the dates, with change, uncertainty and outlines in both images."""
    kinds: dict[str, int] = {}
    for finding in walk.reading["findings"]:
        change = finding["change"]
        if change is None:
            raise StepFailed("a finding has no comparison with the prior")
        kinds[change["kind"]] = kinds.get(change["kind"], 0) + 1
        for place in (finding["current"], finding["prior"]):
            if place and not walk.get(place["outline_url"]).json()["slices"]:
                raise StepFailed("a lesion has no outline")
        if change["kind"] == "grown" and (change["percent"] is None or change["low"] is None):
            raise StepFailed("a growth has no interval")
    if not kinds.get("grown") or not kinds.get("new"):
        raise StepFailed(f"the growing and the new nodule were not both told: {kinds}")
    return ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))


def _decide(walk: Walk) -> str:
    """Step 4: accept, edit, reject."""
    found = walk.reading["findings"]
    by_kind = {finding["change"]["kind"]: finding for finding in found}
    accepted, edited = by_kind["grown"], by_kind["new"]
    walk.send("POST", f"/api/findings/{accepted['id']}/decision", {"decision": "accept"})
    walk.send("PUT", f"/api/findings/{edited['id']}", {"note": "checked on the images"})
    rest = [finding for finding in found if finding["id"] not in (accepted["id"], edited["id"])]
    for finding in rest:
        walk.send("POST", f"/api/findings/{finding['id']}/decision", {"decision": "reject"})
    states = {f["id"]: f["state"] for f in walk.get(f"/api/studies/{NEWEST}/reading").json()["findings"]}
    if states[accepted["id"]] != "accepted" or states[edited["id"]] != "edited":
        raise StepFailed("a decision was not kept")
    return f"1 accepted, 1 edited, {len(rest)} rejected"


def _report(walk: Walk) -> str:
    """Step 5: the draft stands on the accepted findings; edit and sign it."""
    address = f"/api/studies/{NEWEST}/report"
    draft = walk.get(address).json()
    if draft["based_on"]["accepted"] != 2 or not any("doubling time" in s["text"] for s in _sentences(draft)):
        raise StepFailed("the draft does not stand on the accepted findings")
    impression = next(s for s in draft["sections"] if s["name"] == "Impression")
    impression["sentences"].append({"id": None, "text": "Simulated patient, for demonstration only."})
    edited = walk.send("PUT", address, {"version": draft["version"], "sections": draft["sections"]})
    signed = walk.send("POST", f"{address}/signature", {"version": edited["version"]})
    if signed["state"] != "signed" or not signed["signed_by"]:
        raise StepFailed("the report is not signed")
    again = walk.http.put(address, json={"version": signed["version"], "sections": signed["sections"]})
    if again.status_code != 409:
        raise StepFailed(f"a signed report took a change ({again.status_code})")
    return f"{len(_sentences(signed))} sentences, signed by {signed['signed_by']}"


def _sentences(report: dict[str, Any]) -> list[dict[str, Any]]:
    return [sentence for section in report["sections"] for sentence in section["sentences"]]


def _objects(walk: Walk) -> str:
    """Step 6: SR, SEG and PDF are held and readable; FHIR gives the report out."""
    address = f"/api/studies/{NEWEST}/report"
    _until(
        lambda: walk.get(address).json()["objects_state"] in ("stored", "failed"), "no objects were written"
    )
    walk.report = walk.get(address).json()
    objects = {item["kind"]: item for item in walk.report["objects"]}
    for kind, modality in (("SR", "SR"), ("SEG", "SEG"), ("PDF", "DOC")):
        if kind not in objects:
            raise StepFailed(f"the report has no {kind}")
        accept = {"Accept": 'multipart/related; type="application/dicom"; transfer-syntax=*'}
        ds = _first_part(walk.get(objects[kind]["url"], headers=accept))
        if ds.Modality != modality or ds.StudyInstanceUID != NEWEST:
            raise StepFailed(f"the {kind} is not what it must be")
    resource = walk.get(objects["FHIR"]["url"]).json()
    if resource["resourceType"] != "DiagnosticReport" or resource["status"] != "final":
        raise StepFailed("FHIR does not give out the signed report")
    return "SR, SEG, PDF in the archive; DiagnosticReport final"


def _first_part(response: httpx.Response) -> pydicom.Dataset:
    boundary = response.headers["content-type"].split("boundary=")[1].split(";")[0].strip('"')
    part = response.content.split(b"--" + boundary.encode())[1]
    return pydicom.dcmread(BytesIO(part.split(b"\r\n\r\n", 1)[1]))


def _verify(folder: str) -> str:
    command = [sys.executable, "-m", "sightline", "audit", "verify", "--data", folder]
    done = subprocess.run(  # noqa: S603  our own command
        command, capture_output=True, text=True, timeout=120, check=False
    )
    if done.returncode:
        raise StepFailed(f"audit verify: {done.stdout.strip() or done.stderr.strip()}")
    return done.stdout.strip().splitlines()[-1]


STEPS: tuple[tuple[str, str, Callable[[Walk], str]], ...] = (
    ("1", "worklist", _see_worklist),
    ("2", "study beside its prior", _open_study),
    ("3", "change", _see_change),
    ("4", "decisions", _decide),
    ("5", "report", _report),
    ("6", "objects", _objects),
)


def _until(holds: Callable[[], bool], otherwise: str, *, wait_s: float = WAIT_S) -> None:
    deadline = time.monotonic() + wait_s
    while not holds():
        if time.monotonic() > deadline:
            raise StepFailed(f"{otherwise} within {wait_s:.0f} s")
        time.sleep(0.25)


def _answers(address: str) -> bool:
    try:
        return httpx.get(address, timeout=2).is_success
    except httpx.HTTPError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
