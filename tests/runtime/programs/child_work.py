"""What the tests have done in child processes; a child must be able to import it."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from sightline.kernel.errors import Invalid


class TooDark(Invalid):
    """The image is too dark."""


class TwoWords(Invalid):
    """A refusal that cannot be built again from its message."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} {second}")


def add(a: int, *, b: int) -> int:
    return a + b


def refuse() -> None:
    raise TooDark("The image is too dark; expose it longer.", window="lung")


def refuse_in_two_words() -> None:
    raise TwoWords("too", "dark")


def break_with(secret: str) -> None:
    raise ValueError(f"cannot read the name {secret}")


def abort() -> None:
    os.abort()


def leave() -> None:
    os._exit(0)


def give_what_cannot_be_sent() -> object:
    return lambda: None


def hang(seconds: float) -> None:
    time.sleep(seconds)


def fill_memory(mib: int) -> int:
    return int(np.ones((mib, 2**20), dtype=np.uint8).sum())


def start_a_sleeper() -> int:
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]).pid


def note_and_hang(note: Path) -> None:
    note.write_text(str(os.getpid()))
    time.sleep(60)


def process_id() -> int:
    return os.getpid()
