"""How the process keeps its memory: what was freed is kept for what comes next.

glibc gives large blocks back to the system as soon as they are free and fetches them again, zeroed page by
page, for the next: for bodies of half a megabyte, hundreds a second, most of the time of serving them.
"""

import ctypes
from contextlib import suppress

# Names of malloc.h; the values are part of glibc's binary interface.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
KEPT_BYTES = 64 << 20
IN_HEAP_BYTES = 16 << 20


def keep_freed_memory() -> None:
    """Keep up to 64 MiB of freed memory, and blocks up to 16 MiB in the heap, where the C library can."""
    with suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_TRIM_THRESHOLD, KEPT_BYTES)
        mallopt(_MMAP_THRESHOLD, IN_HEAP_BYTES)
