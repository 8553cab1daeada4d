"""Binding a model to its input, and running it in a process of its own."""

import dataclasses
import json

import pytest

from sightline.intelligence import models
from sightline.intelligence.models import _model
from sightline.runtime.plugins import PluginNameTaken, PluginNotInstalled, PlugPoint
from sightline.science.segmentation import LungsNotFound
from sightline.science.volumes import NotAVolume
from tests.care.clinic import make_slice

OURS = "chest-ct-nodules"


def test_our_own_model_comes_in_by_the_plug_in_door_with_its_card():
    card = dict(models.models)[OURS].card

    assert card.modality == "CT"
    assert card.regulatory_status == "research only"
    assert all(dataclasses.asdict(card).values())


def test_a_model_without_a_card_cannot_be_built():
    with pytest.raises(TypeError):
        models.Model(run=lambda *_: None)


def test_the_same_input_is_the_same_run_in_whatever_order_it_came():
    assert models.bind(OURS, ["1.2", "1.1"]) == models.bind(OURS, ["1.1", "1.2"])
    assert len(models.bind(OURS, ["1.1"]).run) == 40


@pytest.fixture
def installed(monkeypatch) -> PlugPoint[models.Model]:
    """A plug point of the test's own."""
    point = PlugPoint("sightline.models", models.Model)
    monkeypatch.setattr(_model, "models", point)
    monkeypatch.setattr("sightline.intelligence.models._service.models", point)
    return point


def test_another_version_parameter_card_or_image_is_another_run(installed):
    ours = installed.get(OURS)
    changed = {
        "version": dataclasses.replace(ours, card=dataclasses.replace(ours.card, version="2.0.0")),
        "parameters": dataclasses.replace(ours, parameters={"min_diameter_mm": 5.0}),
        "card": dataclasses.replace(ours, card=dataclasses.replace(ours.card, not_for="anything")),
    }
    for name, model in changed.items():
        installed.add(name, dataclasses.replace(model))
    runs = {dataclasses.replace(models.bind(name, ["1.1"]), model=OURS).run for name in (OURS, *changed)}

    assert len(runs) == 4
    assert models.bind(OURS, ["1.1"]).run != models.bind(OURS, ["1.1", "1.2"]).run


def test_a_doubled_name_stops_the_start(installed):
    with pytest.raises(PluginNameTaken):
        installed.add(OURS, installed.get(OURS))


def test_a_model_that_is_not_installed_is_named():
    with pytest.raises(PluginNotInstalled, match="called unknown"):
        models.bind("unknown", ["1.1"])


@pytest.fixture
def folders(tmp_path):
    for name in ("series", "output"):
        (tmp_path / name).mkdir()
    return tmp_path / "series", tmp_path / "output"


def test_a_refusal_of_the_model_comes_back_in_its_own_words_from_its_own_process(folders):
    series, output = folders
    for number in range(1, 25):
        (series / f"{number}.dcm").write_bytes(make_slice(number, "1.2.3", "1.2.3.1"))

    with pytest.raises(LungsNotFound):
        models.run_model(OURS, series, output, timeout_s=100)

    assert list(output.iterdir()) == []


def test_slices_that_form_no_volume_are_refused(folders):
    series, output = folders
    (series / "1.dcm").write_bytes(make_slice(1, "1.2.3", "1.2.3.1"))

    with pytest.raises(NotAVolume):
        models.models.get(OURS).run(series, output, {})


def test_what_the_cards_say_can_be_printed():
    assert json.dumps([dataclasses.asdict(model.card) for _, model in models.models])
