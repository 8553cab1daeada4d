"""The server as a process: it starts, refuses what it must, stops at once, and survives being killed."""

import signal
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest

from sightline.app.demo import simulated

STUDY = simulated.uid("study", 1)


@contextmanager
def serving(folder, *options):
    """A server on ports of its own; the log is in ``serve.log`` beside the folder."""
    log = folder.parent / "serve.log"
    http_port, dicom_port = _free_port(), _free_port()
    command = [sys.executable, "-m", "sightline", "serve", "--data", folder]
    command += ["--http-port", str(http_port), "--dicom-port", str(dicom_port), *options]
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    process.address = f"http://127.0.0.1:{http_port}"
    process.ports = (http_port, dicom_port)
    process.log = log
    try:
        until(lambda: process.poll() is not None or answers(process.address), why="the server starts")
        assert process.poll() is None, log.read_text()
        yield process
    finally:
        process.kill()
        process.wait()


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(address):
    try:
        return httpx.get(f"{address}/readyz", timeout=5).is_success
    except httpx.HTTPError:
        return False


def until(holds, *, why, wait_s=120):
    deadline = time.monotonic() + wait_s
    while not holds():
        assert time.monotonic() < deadline, f"waited {wait_s} s in vain until {why}"
        time.sleep(0.05)


def query(folder, statement, *values):
    """Ask the database of an installation from outside, as it is now."""
    address = f"file:{folder / 'sightline.db'}?mode=ro"
    with closing(sqlite3.connect(address, uri=True, timeout=30)) as db:
        return db.execute(statement, values).fetchall()


def children_of(pid):
    """The processes that a process started, and those that they started."""
    found = []
    for place in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = place.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if fields[0] != "Z" and int(fields[1]) == pid:
            child = int(place.parent.name)
            found += [child, *children_of(child)]
    return found


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "data"


def test_a_server_answers_and_stops_when_asked(folder):
    with serving(folder) as server:
        assert httpx.get(f"{server.address}/api/me").status_code == 401
        assert "default-src 'none'" in httpx.get(server.address).headers["content-security-policy"]

        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=20) == 0

    log = server.log.read_text()
    assert "/setup?token=" in log
    assert "Traceback" not in log


@pytest.mark.parametrize("taken", ["--http-port", "--dicom-port"])
def test_a_port_that_is_taken_is_refused_in_one_line_that_names_the_option(sightline, taken):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        ports = {"--http-port": _free_port(), "--dicom-port": _free_port(), taken: other.getsockname()[1]}

        answer = sightline("serve", *(str(word) for option in ports.items() for word in option))

    assert (answer.code, answer.out) == (1, "")
    assert answer.err.startswith(f"sightline: Port {ports[taken]} ")
    assert taken in answer.err
    assert answer.err.count("\n") == 1


@pytest.mark.slow
def test_killed_amid_an_analysis_it_ends_it_after_the_restart_with_each_finding_once(
    folder, tmp_path, sightline
):
    simulated.write_visit(tmp_path / "visit1", 1)
    for thinned in sorted((tmp_path / "visit1").iterdir())[1::2]:
        thinned.unlink()  # half the slices take half the time
    assert sightline("import", str(tmp_path / "visit1"), "--no-wait").code == 0
    assert query(folder, "select simulated from studies") == [(1,)]

    def state():
        return [s for (s,) in query(folder, "select state from analyses where study_uid = ?", STUDY)]

    with serving(folder) as server:
        until(lambda: state() == ["running"] and children_of(server.pid), why="the analysis runs")
        started = children_of(server.pid)
        server.kill()
        server.wait()
        until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in started), why="its children ended")
    assert state() == ["running"]

    with serving(folder) as server:  # asked to stop amid the analysis, it does not wait for its end
        until(lambda: children_of(server.pid), why="the analysis runs again")
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=20) == 0
    assert state() == ["running"]

    with serving(folder):
        until(lambda: state() == ["done"], why="the analysis is done", wait_s=240)
        until(lambda: _unfinished(folder) == 0, why="all jobs are done")

    found = query(folder, "select number, state from findings where study_uid = ? order by number", STUDY)
    assert found
    assert [number for number, _ in found] == list(range(1, len(found) + 1))
    assert {state for _, state in found} == {"proposed"}
    ends = query(folder, "select count(*) from audit where act = 'analysis.end' and subject = ?", STUDY)
    assert ends == [(1,)]
    failed = query(folder, "select count(*) from workflow_status where status not in ('SUCCESS')")
    assert failed == [(0,)]
    assert sightline("audit", "verify").code == 0


def _unfinished(folder):
    waiting = "select count(*) from workflow_status where status in ('ENQUEUED', 'PENDING', 'DELAYED')"
    return query(folder, waiting)[0][0]
