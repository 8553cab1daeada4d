"""The web client's types come from the API's own description."""

import json

from tools import api_types


def test_the_description_is_the_same_each_time_and_names_every_answer():
    description = api_types.describe()

    assert description == api_types.describe()
    assert "/api/worklist" in json.loads(description)["paths"]


def test_types_that_differ_from_the_description_are_noticed(tmp_path, monkeypatch):
    kept = tmp_path / "schema.ts"
    kept.write_text("export interface Row {}\n")
    monkeypatch.setattr(api_types, "TYPES", kept)
    monkeypatch.setattr(api_types, "generate", lambda folder: (folder / "schema.ts").write_text("other\n"))

    assert not api_types.are_current()

    monkeypatch.setattr(
        api_types, "generate", lambda folder: (folder / "schema.ts").write_text(kept.read_text())
    )

    assert api_types.are_current()
