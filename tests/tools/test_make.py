"""The make targets that others rely on exist, and CI runs no more than a person would."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text()


@pytest.mark.parametrize("target", ["setup", "demo", "serve", "test", "check", "bench", "docs"])
def test_a_target_of_the_fixed_names_exists_and_is_explained(target):
    assert re.search(rf"^{target}:", MAKEFILE, flags=re.MULTILINE)
    assert f'@echo "make {target} ' in MAKEFILE


def test_every_target_without_a_file_is_phony():
    targets = set(re.findall(r"^([a-z]+):", MAKEFILE, flags=re.MULTILINE))
    phony = set(re.findall(r"^\.PHONY: (.*)$", MAKEFILE, flags=re.MULTILINE)[0].split())

    assert targets == phony


def test_an_old_python_is_refused_with_what_to_do(tmp_path):
    old = tmp_path / "python-of-old"
    old.write_text('#!/bin/sh\n[ "$1" = -V ] && { echo "Python 3.9.2"; exit 0; }\nexit 1\n')
    old.chmod(0o755)
    done = subprocess.run(
        ["make", f"PYTHON={old}", f"VENV={tmp_path}/venv", f"{tmp_path}/venv/bin/python"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode != 0
    assert "needs Python 3.11 or newer, and this is Python 3.9.2" in done.stderr
    assert not (tmp_path / "venv").exists()


def test_ci_runs_the_two_targets_and_is_executable():
    script = ROOT / ".ci" / "run"
    commands = [line for line in script.read_text().splitlines() if line.startswith("make ")]

    assert commands == ["make check", "make test"]
    assert os.access(script, os.X_OK)
