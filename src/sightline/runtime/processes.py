"""Heavy native work in a child process of its own: capped in time and memory, killed as a whole.

A crash, a leak or a hang of a native library then costs one job and not the server. The child is
spawned, never forked (thread pools of native libraries do not survive a fork), and dies with its parent.
"""

import ctypes
import multiprocessing
import os
import resource
import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from contextvars import ContextVar
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any, ParamSpec, TypeVar

from sightline.kernel.errors import PlatformError, Unavailable

P = ParamSpec("P")
R = TypeVar("R")

PR_SET_PDEATHSIG = 1

# Each heavy child uses two threads, so more children than this would only make all of them slower.
PLACES = max(1, (os.cpu_count() or 2) // 2)
_places = threading.BoundedSemaphore(PLACES)


class ChildFailed(Unavailable):
    """A child process crashed or was stopped; the message says which and why."""


class Interrupted(BaseException):
    """The work ends because this process does; nobody catches it, so that nothing is recorded as failed."""


class Leash:
    """Holds the children that some work started, so that all can be stopped at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._children: set[SpawnProcess] = set()
        self.is_cut = False

    def hold(self, child: SpawnProcess) -> None:
        """Hold a child; once cut, refuse."""
        with self._lock:
            if self.is_cut:
                raise Interrupted
            self._children.add(child)

    def let_go(self, child: SpawnProcess) -> None:
        """Hold a child no longer."""
        with self._lock:
            self._children.discard(child)

    def cut(self) -> None:
        """Stop all children; whoever waits for one of them, or starts another, is interrupted."""
        with self._lock:
            self.is_cut = True
            for child in self._children:
                _kill_group(child)


_leash: ContextVar[Leash] = ContextVar("leash", default=Leash())  # noqa: B039  that of all who have no other


@contextmanager
def leashed(leash: Leash) -> Iterator[None]:
    """Put all children that are started inside on `leash`."""
    token = _leash.set(leash)
    try:
        yield
    finally:
        _leash.reset(token)


def run_in_child(work: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a module-level function in a child with the default caps (15 min, 12 GiB)."""
    return run_capped(work, args, dict(kwargs))


def run_capped(
    work: Callable[..., R],
    args: tuple[Any, ...] = (),
    kwargs: dict[str, Any] | None = None,
    *,
    timeout_s: float = 900,
    memory_mib: int = 12_288,
    at_once: bool = False,
) -> R:
    """Run a module-level function in a spawned child and return its result.

    Children wait for a place, so that a burst of work does not drown the machine; with `at_once` somebody is
    waiting in front of a screen and the child does not.

    Raises
    ------
    PlatformError
        The refusal that `work` itself raised.
    ChildFailed
        If it raised anything else, ran past `timeout_s`, grew past `memory_mib` or crashed.
    Interrupted
        If the leash that it is on was cut.
    """
    with nullcontext() if at_once else _places:
        return _run(work, args, kwargs or {}, timeout_s, memory_mib)


def _run(
    work: Callable[..., R], args: tuple[Any, ...], kwargs: dict[str, Any], timeout_s: float, memory_mib: int
) -> R:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(
        target=_serve, args=(theirs, work, args, kwargs, memory_mib, os.getpid()), daemon=True
    )
    leash = _leash.get()
    child.start()
    theirs.close()
    try:
        leash.hold(child)
        outcome = _receive(ours, work.__name__, timeout_s)
    finally:
        leash.let_go(child)
        ours.close()
        _kill(child)
    if leash.is_cut:
        raise Interrupted
    if isinstance(outcome, PlatformError):
        raise outcome
    if isinstance(outcome, _Failure):
        raise ChildFailed(f"{work.__name__} failed: {outcome.summary}")
    result: R = outcome
    return result


def _receive(pipe: Connection, name: str, timeout_s: float) -> Any:
    if not pipe.poll(timeout_s):
        return _Failure(f"no result after {timeout_s:.0f} s; it was stopped.")
    try:
        return pipe.recv()
    except EOFError:
        return _Failure(f"the process of {name} ended without a result (crash or out of memory).")
    except Exception as error:  # noqa: BLE001  what it sent was cut off, or cannot be built here
        return _Failure(f"what the process of {name} sent cannot be read ({type(error).__name__}).")


def _kill(child: SpawnProcess) -> None:
    """End the child, with all that it started: it leads a process group of its own."""
    _kill_group(child)
    child.join()
    child.close()


def _kill_group(child: SpawnProcess) -> None:
    if child.pid is not None and child.exitcode is None:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
    child.kill()


class _Failure:
    """Why a child gave no result."""

    def __init__(self, summary: str) -> None:
        self.summary = summary


def _serve(
    pipe: Connection,
    work: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    memory_mib: int,
    parent: int,
) -> None:
    _die_with(parent)
    _silence()
    os.setpgrp()
    limit = memory_mib * 2**20
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    outcome: Any
    try:
        outcome = work(*args, **kwargs)
    except PlatformError as error:
        outcome = error
    except BaseException as error:  # noqa: BLE001  whatever it is, the parent must hear of it
        where = traceback.extract_tb(error.__traceback__)[-1]
        outcome = _Failure(f"{type(error).__name__} in {where.name}, line {where.lineno}.")
    pipe.send(outcome)
    pipe.close()


def _die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent dies (Linux; elsewhere the pipe ends it)."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if os.uname().sysname == "Linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def _silence() -> None:
    """Send what native libraries print to nowhere: our standard output may be somebody's JSON."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
