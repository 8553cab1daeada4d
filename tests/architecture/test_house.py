"""Habits of the house that no linter knows."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "sightline"
TIERS = ("wire", "care", "intelligence", "record", "trust", "science")
PARTS = {"__init__", "_model", "_store", "_service", "routes", "commands", "jobs", "settings"}
HEAVY = {"SimpleITK", "torch", "onnxruntime", "weasyprint", "imagecodecs"}
VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "shared", "base", "core"}


def domains() -> list[Path]:
    return [
        path
        for tier in TIERS
        for path in sorted((SOURCE / tier).iterdir())
        if path.is_dir() and (path / "__init__.py").is_file()
    ]


@pytest.mark.parametrize("domain", domains(), ids=lambda path: f"{path.parent.name}.{path.name}")
def test_a_face_says_why_it_exists_and_lists_what_it_offers(domain):
    tree = ast.parse((domain / "__init__.py").read_text(encoding="utf-8"))
    offers = [
        node
        for node in tree.body
        if isinstance(node, ast.Assign) and any(getattr(t, "id", "") == "__all__" for t in node.targets)
    ]

    assert ast.get_docstring(tree)
    assert len(offers) == 1 or len(tree.body) == 1  # a face without an offer holds its docstring alone


def test_no_module_has_a_vague_name():
    vague = [path for path in SOURCE.rglob("*.py") if path.stem.strip("_") in VAGUE]

    assert vague == []


def test_what_is_public_in_a_domain_is_a_part_that_the_assembly_knows():
    """A domain's own modules are private; the public ones are the face and the four for the assembly."""
    strangers = [
        path.relative_to(SOURCE).as_posix()
        for domain in domains()
        if domain.parent.name != "science"
        for path in domain.glob("*.py")
        if not path.stem.startswith("_") and path.stem not in PARTS
    ]

    assert strangers == ["intelligence/models/chest_ct_nodules.py"]  # a plug-in: it comes by the entry point


def test_starting_the_server_loads_no_heavy_library():
    program = f"import sys, sightline.app.cli, sightline.app.http; print(*({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True
    )

    assert done.stdout.split() == []
