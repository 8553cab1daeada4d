"""The import contracts hold on the real tree, and each one fails on a planted violation."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TIERS = ("app", "wire", "care", "intelligence", "record", "trust", "runtime", "science", "kernel")


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the import linter in `folder`, on the package in its `src`."""
    return subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache", "--no-logo"],
        cwd=folder,
        env={"PYTHONPATH": f"{folder}/src", "COLUMNS": "200", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def house(tmp_path):
    """A tiny house with our contracts: every tier, two domains in record, one in care."""
    shutil.copy(ROOT / ".importlinter", tmp_path)
    shutil.copytree(ROOT / "tools" / "contracts", tmp_path / "tools" / "contracts")
    shutil.copy(ROOT / "tools" / "__init__.py", tmp_path / "tools")
    package = tmp_path / "src" / "sightline"
    for tier in TIERS:
        plant(package / tier / "__init__.py")
    for domain in ("record/shelf", "record/ledger", "care/desk"):
        plant(package / domain / "__init__.py", "from sightline.kernel import values\n")
        plant(package / domain / "_store.py")
        plant(package / domain / "routes.py")
    plant(package / "client" / "__init__.py")
    plant(package / "kernel" / "values.py")
    plant(package / "care" / "desk" / "_service.py", "from sightline.record import shelf\n")
    plant(package / "app" / "http.py", "from sightline.care.desk import routes\n")
    plant(package / "__init__.py")
    return tmp_path


def plant(path: Path, text: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_the_real_tree_keeps_every_contract():
    result = lint(ROOT)

    assert result.returncode == 0, result.stdout + result.stderr
    assert "4 kept, 0 broken" in result.stdout


def test_the_tiny_house_keeps_every_contract(house):
    result = lint(house)

    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("where", "text", "broken", "named"),
    [
        pytest.param(
            "kernel/values.py",
            "from sightline.record import shelf\n",
            "Tiers point down BROKEN",
            "sightline.kernel.values",
            id="a-lower-tier-imports-a-higher-one",
        ),
        pytest.param(
            "annexe/__init__.py",
            "",
            "Tiers point down BROKEN",
            "annexe",
            id="a-package-without-a-tier",
        ),
        pytest.param(
            "record/shelf/_store.py",
            "from sightline.record import ledger\nledger\n",
            "No circles among siblings BROKEN",
            "ledger",
            id="two-domains-in-a-circle",
        ),
        pytest.param(
            "care/desk/_service.py",
            "from sightline.record.shelf import _store\n",
            "A domain is entered by its face BROKEN",
            "sightline.care.desk._service is not allowed to import sightline.record.shelf._store (l.1)",
            id="another-domains-store",
        ),
        pytest.param(
            "app/http.py",
            "from sightline.record.shelf import _store\n",
            "A domain is entered by its face BROKEN",
            "sightline.app.http is not allowed to import sightline.record.shelf._store (l.1)",
            id="the-assembly-takes-a-store",
        ),
        pytest.param(
            "care/desk/_service.py",
            "from sightline.record.shelf import routes\n",
            "A domain is entered by its face BROKEN",
            "sightline.care.desk._service is not allowed to import sightline.record.shelf.routes (l.1)",
            id="routes-taken-by-someone-else-than-the-assembly",
        ),
        pytest.param(
            "client/__init__.py",
            "from sightline.record import shelf\n",
            "The client stands alone BROKEN",
            "sightline.client is not allowed to import sightline.record",
            id="the-client-imports-the-record",
        ),
    ],
)
def test_a_planted_violation_breaks_its_contract(house, where, text, broken, named):
    plant(house / "src" / "sightline" / where, text)
    if "circle" in broken or "circles" in broken:
        plant(house / "src/sightline/record/ledger/_store.py", "from sightline.record import shelf\n")

    result = lint(house)

    assert result.returncode == 1
    assert broken in result.stdout
    assert named in result.stdout
