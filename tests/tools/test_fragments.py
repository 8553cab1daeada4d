"""Changelog fragments have a name that says issue and kind, and become a release's section."""

import pytest

from tools import fragments


@pytest.fixture
def root(tmp_path):
    (tmp_path / "changelog.d").mkdir()
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\nNewest first.\n\n## 0.1.0 (2026-01-01)\n\nOld.\n")
    (tmp_path / "changelog.d" / "README.md").write_text("How to.\n")
    return tmp_path


def test_the_fragments_of_this_repository_are_well_named():
    assert fragments.problems(fragments.ROOT / "changelog.d") == []


@pytest.mark.parametrize("name", ["added.md", "3.news.md", "3.added.txt", "x.added.md"])
def test_a_badly_named_fragment_is_told_how_to_be_called(root, name):
    (root / "changelog.d" / name).write_text("Something.\n")

    (problem,) = fragments.problems(root / "changelog.d")

    assert problem.startswith(f"{name}: call it <issue>.<kind>.md")


def test_an_empty_fragment_is_refused(root):
    (root / "changelog.d" / "7.fixed.md").write_text("\n")

    assert fragments.problems(root / "changelog.d") == [
        "7.fixed.md: is empty; say in a sentence what a user will notice."
    ]


def test_a_release_gathers_fragments_by_kind_above_older_releases(root):
    (root / "changelog.d" / "7.fixed.md").write_text("A leak was closed.\n")
    (root / "changelog.d" / "8.added.md").write_text("A list was added.\n")

    fragments.gather(root, "0.2.0")

    text = (root / "CHANGELOG.md").read_text()
    headings = [line.split(" (")[0] for line in text.splitlines() if line.startswith("#")]
    assert headings == ["# Changelog", "## 0.2.0", "### Added", "### Fixed", "## 0.1.0"]
    assert [path.name for path in (root / "changelog.d").iterdir()] == ["README.md"]
