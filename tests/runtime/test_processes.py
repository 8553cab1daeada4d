"""Heavy work in child processes: its result, its refusals, and every way in which it can break."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from child_work import (
    TooDark,
    abort,
    add,
    break_with,
    fill_memory,
    give_what_cannot_be_sent,
    hang,
    leave,
    process_id,
    refuse,
    refuse_in_two_words,
    start_a_sleeper,
)

from sightline.kernel.errors import Unavailable
from sightline.runtime import processes
from sightline.runtime.processes import ChildFailed, Interrupted, run_capped, run_in_child


def is_running(pid: int) -> bool:
    """A process that has ended but was not yet collected by its parent counts as ended."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def until_gone(pid: int, *, wait_s: float = 10) -> bool:
    deadline = time.monotonic() + wait_s
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not is_running(pid)


def test_the_result_comes_back_from_another_process():
    assert run_in_child(add, 2, b=3) == 5
    assert run_in_child(process_id) != os.getpid()


def test_a_refusal_passes_through_with_its_facts():
    with pytest.raises(TooDark, match="expose it longer") as caught:
        run_in_child(refuse)

    assert caught.value.facts == {"window": "lung"}
    assert caught.value.code == "too-dark"


def test_a_refusal_that_cannot_be_built_again_is_a_failed_child():
    with pytest.raises(ChildFailed, match="sent cannot be read"):
        run_in_child(refuse_in_two_words)


def test_what_it_raised_is_told_by_kind_and_place_never_by_its_words():
    with pytest.raises(ChildFailed, match="ValueError in break_with, line") as caught:
        run_in_child(break_with, "Müller^Jörg")

    assert "Müller" not in str(caught.value)
    assert isinstance(caught.value, Unavailable)


@pytest.mark.parametrize("work", [abort, leave, give_what_cannot_be_sent])
def test_a_child_that_ends_without_a_result_fails_alone(work, capfd):
    with pytest.raises(ChildFailed, match="ended without a result"):
        run_in_child(work)


def test_a_child_that_takes_too_long_is_stopped_at_once():
    started = time.monotonic()

    with pytest.raises(ChildFailed, match=r"no result after 0 s; it was stopped"):
        run_capped(hang, (60,), timeout_s=0.3)

    assert time.monotonic() - started < 3


def test_a_child_that_grows_past_its_cap_fails_and_below_it_does_not():
    with pytest.raises(ChildFailed, match="MemoryError in"):
        run_capped(fill_memory, (1024,), memory_mib=512)

    assert run_capped(fill_memory, (16,), memory_mib=512) == 16 * 2**20


def test_what_a_child_leaves_running_is_stopped_with_it():
    assert until_gone(run_in_child(start_a_sleeper))


def test_a_child_dies_with_its_parent(tmp_path):
    note = tmp_path / "pid"
    script = Path(__file__).parent / "programs" / "parent.py"
    parent = subprocess.Popen([sys.executable, script, note])
    deadline = time.monotonic() + 30
    while not (note.exists() and note.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    child = int(note.read_text())
    assert is_running(child)

    parent.kill()
    parent.wait()

    assert until_gone(child)


def test_children_wait_for_a_place_unless_somebody_is_waiting_for_them(monkeypatch):
    full = threading.BoundedSemaphore(1)
    full.acquire()
    monkeypatch.setattr(processes, "_places", full)

    assert run_capped(add, (1,), {"b": 1}, at_once=True) == 2


def test_children_on_a_leash_are_stopped_when_it_is_cut_and_nothing_failed(monkeypatch):
    leash, ended = processes.Leash(), []

    def work():
        try:
            with processes.leashed(leash):
                run_capped(hang, (60,), at_once=True)
        except BaseException as error:
            ended.append(type(error))

    waiting = threading.Thread(target=work)
    waiting.start()
    time.sleep(0.5)
    leash.cut()
    waiting.join(timeout=10)

    assert ended == [Interrupted]
    with pytest.raises(Interrupted), processes.leashed(leash):
        run_capped(add, (1,), {"b": 1}, at_once=True)
    assert run_capped(add, (1,), {"b": 1}, at_once=True) == 2


def test_a_failed_child_gives_its_place_back(monkeypatch):
    monkeypatch.setattr(processes, "_places", threading.BoundedSemaphore(1))

    for _ in range(2):
        with pytest.raises(ChildFailed):
            run_in_child(leave)
