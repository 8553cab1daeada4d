"""A parent that waits for a child which notes its process id in the given file."""

import sys
from pathlib import Path

from child_work import note_and_hang

from sightline.runtime.processes import run_in_child

if __name__ == "__main__":
    run_in_child(note_and_hang, Path(sys.argv[1]))
