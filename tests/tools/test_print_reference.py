"""Reference pages are printed from the code."""

from typing import Annotated

import pytest
import typer

from tools import markdown, print_reference


def test_bars_and_line_ends_in_cells_do_not_break_a_table():
    text = markdown.table(["name", "meaning"], [["a|b", "one\ntwo"]])

    assert text.splitlines() == ["| name | meaning |", "|---|---|", "| a\\|b | one two |"]


def test_the_first_paragraph_of_a_docstring_becomes_one_line():
    text = """Say what\n    it does.\n\n    And more.\n    """

    assert markdown.first_sentence(text) == "Say what it does."
    assert markdown.first_sentence(None) == ""


def test_a_missing_or_changed_page_is_stale(tmp_path, monkeypatch):
    monkeypatch.setattr(print_reference, "PAGES", {"a.md": lambda: "A\n", "b.md": lambda: "B\n"})
    (tmp_path / "a.md").write_text("A\n")
    (tmp_path / "b.md").write_text("old\n")

    assert print_reference.stale_pages(tmp_path) == ["b.md"]


def test_a_command_is_printed_with_its_arguments_and_options():
    app = typer.Typer()

    @app.command("take")
    def take(
        path: list[str],
        into: Annotated[str, typer.Option(help="Where.")] = "./here",
        data: str = "",
    ) -> None:
        """Take in files."""

    part = print_reference._command_part("sightline take", typer.main.get_command(app))

    assert "Take in files." in part
    assert "sightline take PATH..." in part
    assert "| `--into` | `./here` | Where. |" in part
    assert "--data" not in part  # every command has it, so the page says it once


@pytest.mark.parametrize("event", ["StudySettled", "ReportSigned"])
def test_publishers_of_events_are_read_from_the_code(event):
    assert event in print_reference.published_events()
