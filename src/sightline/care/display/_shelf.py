"""What was put together lately, so that the next plane of the same volume is quick."""

import threading
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")

# Volumes that are put together at the same time: each takes several times its size while it is made.
AT_ONCE = 2


class Shelf:
    """Things by what they were made of, at most so many bytes; those not asked for longest go first.

    What several ask for at the same moment is made once. What is larger than the shelf is made, and not kept.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._size = 0
        self._kept: dict[Hashable, tuple[Any, int]] = {}
        self._making: dict[Hashable, threading.Lock] = {}
        self._lock = threading.Lock()
        self._few = threading.Semaphore(AT_ONCE)

    @property
    def size(self) -> int:
        """Return how many bytes are kept."""
        return self._size

    def get(self, key: Hashable, make: Callable[[], T], size_of: Callable[[T], int]) -> T:
        """Return what is kept under a key, or what `make` makes."""
        with self._lock:
            found = self._find(key)
            if found is not None:
                return found[0]  # type: ignore[no-any-return]
            making = self._making.setdefault(key, threading.Lock())
        with making:
            with self._lock:
                found = self._find(key)
            if found is not None:
                return found[0]  # type: ignore[no-any-return]
            try:
                with self._few:
                    made = make()
                self._keep(key, made, size_of(made))
            finally:
                with self._lock:
                    self._making.pop(key, None)
            return made

    def _find(self, key: Hashable) -> tuple[Any, int] | None:
        found = self._kept.pop(key, None)
        if found is not None:
            self._kept[key] = found  # asked for last
        return found

    def _keep(self, key: Hashable, made: Any, size: int) -> None:
        with self._lock:
            if size > self._most:
                return
            self._size += size - self._kept.pop(key, (None, 0))[1]
            self._kept[key] = made, size
            while self._size > self._most:
                self._size -= self._kept.pop(next(iter(self._kept)))[1]
