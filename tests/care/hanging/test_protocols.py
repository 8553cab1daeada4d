"""Hanging protocols: their shape, whose they are, and who may change them."""

import copy
import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from sightline.care import hanging
from sightline.care.hanging import _model as model
from sightline.trust import access, audit

REFUSED = json.loads((Path(__file__).parent / "refused.json").read_text(encoding="utf-8"))
SAMPLE = REFUSED["sample"]
MINE, SITE, BUILT_IN = hanging.Owner.MINE, hanging.Owner.SITE, hanging.Owner.BUILT_IN


def person(name: str, role: str, site: str = "main") -> access.Person:
    return access.Person(name, name.title(), name, frozenset({role}), site)


ADA = person("ada", "radiologist")
ADMIN = person("root", "administrator")
OPERATOR = access.operator("tester")


def protocol(protocol_id: str = "sample", **values) -> hanging.HangingProtocol:
    return hanging.HangingProtocol.model_validate(SAMPLE | {"id": protocol_id} | values)


def ids(found) -> list[tuple[str, str]]:
    return [(owned.owner.value, owned.protocol.id) for owned in found if owned.owner is not BUILT_IN]


def changed(at: list[str | int], to: object) -> dict:
    json_ = copy.deepcopy(SAMPLE)
    place = json_
    for key in at[:-1]:
        place = place[key]
    if isinstance(place, list) and at[-1] >= len(place):
        place.append(to)
    else:
        place[at[-1]] = to
    return json_


def test_what_is_built_in_can_be_used_and_has_ids_of_its_own():
    found = model.built_in()

    assert len({one.id for one in found}) == len(found) == 19
    assert {"ct-chest-prior", "mg-screening", "pet-ct", "any"} <= {one.id for one in found}
    assert hanging.parse_file(hanging.render_file(found)) == found


def test_the_example_of_the_guide_can_be_used():
    guide = (Path(__file__).parents[3] / "docs" / "guides" / "hanging.md").read_text(encoding="utf-8")
    example = guide.partition("```json\n")[2].partition("```")[0]

    assert [one.id for one in hanging.parse_file(example.encode())] == ["ct-chest-mine"]


def test_the_sample_can_be_used():
    assert protocol().stages[0].panes[1].series == model.SeriesSelector()


@pytest.mark.parametrize("fault", REFUSED["refused"], ids=lambda f: f"{f['path']}={json.dumps(f['to'])}")
def test_what_cannot_be_used_is_refused_with_its_path(fault):
    data = json.dumps({"version": 1, "protocols": [changed(fault["at"], fault["to"])]}).encode()

    with pytest.raises(hanging.NotAHangingProtocol, match=rf"protocols\.0\.{fault['path']}: "):
        hanging.parse_file(data)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "file: Invalid JSON"),
        (b"[]", "file: "),
        (b'{"protocols": []}', "version: "),
        (b'{"version": 2, "protocols": []}', "version: "),
        (b'{"version": 1, "protocols": {}}', "protocols: "),
        (b'{"version": 1, "protocols": [], "more": 1}', "more: "),
        (b" " * (model.MOST_FILE_BYTES + 1), "at most 4 MiB"),
        (b"[" * 100_000, "file: "),
        (b"\xff\xfe", "file: "),
    ],
)
def test_what_is_no_file_of_protocols_is_refused(data, what):
    with pytest.raises(hanging.NotAHangingProtocol, match=what):
        hanging.parse_file(data)


def test_a_refusal_does_not_repeat_what_was_sent():
    data = json.dumps({"version": 1, "protocols": [changed(["name"], "Doe^Jane" * 20)]}).encode()

    with pytest.raises(hanging.NotAHangingProtocol) as refused:
        hanging.parse_file(data)

    assert "Doe" not in str(refused.value)


def test_two_protocols_of_one_id_in_a_file_are_refused():
    data = json.dumps({"version": 1, "protocols": [SAMPLE, SAMPLE]}).encode()

    with pytest.raises(hanging.NotAHangingProtocol, match="Two protocols have the id sample"):
        hanging.parse_file(data)


def test_a_protocol_larger_than_64_kib_is_refused(database):
    pane = {"series": {"words": ["w" * 64] * 16}}
    stage = {"name": "s", "rows": 4, "columns": 4, "panes": [pane] * 16}
    large = protocol(stages=[stage] * 12)

    with database.transaction() as db:
        with pytest.raises(hanging.NotAHangingProtocol, match="larger than 64 KiB"):
            hanging.put_protocol(db, large, by=ADA)

        assert ids(hanging.find_protocols(db, by=ADA)) == []


def test_a_protocol_is_frozen():
    with pytest.raises(ValidationError):
        protocol().name = "other"


def test_the_own_come_before_the_sites_before_the_built_in(database):
    with database.transaction() as db:
        hanging.put_protocol(db, protocol("b"), by=ADA)
        hanging.put_protocol(db, protocol("a"), by=ADA)
        hanging.put_protocol(db, protocol("s"), by=ADMIN, owner=SITE)
        hanging.put_protocol(db, protocol("e"), by=OPERATOR, owner=SITE)

        found = hanging.find_protocols(db, by=ADA)

    assert ids(found) == [("mine", "a"), ("mine", "b"), ("site", "s"), ("site", "e")]
    assert [owned.protocol for owned in found[4:]] == list(model.built_in())


def test_of_one_id_the_nearest_counts_and_the_next_is_seen_again_when_it_goes(database):
    def named(name: str) -> hanging.HangingProtocol:
        return protocol("any", name=name)

    def seen(db) -> str:
        return next(o.protocol.name for o in hanging.find_protocols(db, by=ADA) if o.protocol.id == "any")

    with database.transaction() as db:
        assert seen(db) == "Any study"
        hanging.put_protocol(db, named("site's"), by=ADMIN, owner=SITE)
        hanging.put_protocol(db, named("mine"), by=ADA)
        assert seen(db) == "mine"
        assert [o.protocol.name for o in hanging.find_protocols(db, by=ADA, owner=SITE)] == ["site's"]
        hanging.remove_protocol(db, "any", by=ADA)
        assert seen(db) == "site's"
        hanging.remove_protocol(db, "any", by=ADMIN, owner=SITE)
        assert seen(db) == "Any study"


def test_what_others_keep_and_what_other_sites_keep_is_not_seen(database):
    with database.transaction() as db:
        hanging.put_protocol(db, protocol("mine"), by=ADA)
        hanging.put_protocol(db, protocol("north"), by=person("n", "administrator", "north"), owner=SITE)

        assert ids(hanging.find_protocols(db, by=person("bo", "radiologist"))) == []
        with pytest.raises(hanging.HangingProtocolNotHeld):
            hanging.remove_protocol(db, "mine", by=person("bo", "radiologist"))
        assert ids(hanging.find_protocols(db, by=ADA)) == [("mine", "mine")]


def test_only_administrators_change_the_sites_and_nobody_the_built_in(database):
    with database.transaction() as db:
        with pytest.raises(access.NotAllowed):
            hanging.put_protocol(db, protocol(), by=ADA, owner=SITE)
        with pytest.raises(access.NotAllowed):
            hanging.put_protocol(db, protocol(), by=person("r", "researcher"))
        with pytest.raises(access.NotAllowed):
            hanging.find_protocols(db, by=person("r", "researcher"))
        for owner_act in (hanging.put_protocol, hanging.add_protocol):
            with pytest.raises(hanging.NotAHangingProtocol, match="Built-in protocols cannot be changed"):
                owner_act(db, protocol(), by=OPERATOR, owner=BUILT_IN)

        assert ids(hanging.find_protocols(db, by=ADA)) == []
        assert audit.trail(db, on="sample") == []


def test_every_change_has_an_author(database):
    with database.transaction() as db:
        hanging.add_protocol(db, protocol(), by=ADA)
        hanging.put_protocol(db, protocol(name="Other"), by=ADA)
        hanging.remove_protocol(db, "sample", by=ADA)

        entries = audit.trail(db, on="sample")

    assert [(e.act, e.by, e.facts["owner"]) for e in entries] == [
        ("hanging.remove", "ada", "mine"),
        ("hanging.put", "ada", "mine"),
        ("hanging.put", "ada", "mine"),
    ]
    assert [e.facts["new"] for e in entries[1:]] == [False, True]


def test_an_id_is_taken_once(database):
    with database.transaction() as db:
        hanging.add_protocol(db, protocol(), by=ADA)
        with pytest.raises(hanging.HangingProtocolExists):
            hanging.add_protocol(db, protocol(name="Other"), by=ADA)

        (kept, *_) = hanging.find_protocols(db, by=ADA)
        assert kept.protocol.name == "Sample"


def test_no_more_than_200_are_kept(database, monkeypatch):
    monkeypatch.setattr("sightline.care.hanging._service.MOST_KEPT", 2)
    with database.transaction() as db:
        hanging.import_protocols(db, [protocol("a"), protocol("b")], by=ADA)
        with pytest.raises(hanging.TooManyHangingProtocols):
            hanging.put_protocol(db, protocol("c"), by=ADA)
        hanging.put_protocol(db, protocol("b", name="Other"), by=ADA)

        assert ids(hanging.find_protocols(db, by=ADA)) == [("mine", "a"), ("mine", "b")]
