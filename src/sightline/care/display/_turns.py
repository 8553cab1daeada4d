"""Who computes, who waits, and who is asked to come again: computing must not keep other requests out."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sightline.kernel.errors import Unavailable

AT_ONCE = 4
WAITING = 16


class TooBusy(Unavailable):
    """Too many planes, surfaces and overlays are being computed at this moment; ask again in a moment."""


class Turns:
    """So many compute at once, so many more wait, and whoever comes then is refused."""

    def __init__(self, at_once: int = AT_ONCE, waiting: int = WAITING) -> None:
        self._running = threading.Semaphore(at_once)
        self._places = threading.Semaphore(at_once + waiting)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Wait for one's turn, and have it.

        Raises
        ------
        TooBusy
            If too many wait already.
        """
        if not self._places.acquire(blocking=False):
            raise TooBusy("Too much is being computed at this moment; ask again in a moment.")
        try:
            with self._running:
                yield
        finally:
            self._places.release()
