"""Plug-in points: values by name, from the installed packages and from us by the same door."""

import sys
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from types import SimpleNamespace

import pytest

from sightline.runtime import plugins
from sightline.runtime.plugins import PluginNameTaken, PluginNotInstalled, PlugPoint


@dataclass(frozen=True)
class Rule:
    days: int


weekly = Rule(7)
yearly = Rule(365)
not_a_rule = 7


def install(monkeypatch, *named):
    """Have packages installed whose entry points name values of this module."""
    entries = [EntryPoint(name, f"{__name__}:{value}", "sightline.rules") for name, value in named]
    monkeypatch.setattr(plugins, "entry_points", lambda group: [e for e in entries if e.group == group])
    monkeypatch.setitem(sys.modules, __name__, SimpleNamespace(**globals()))
    return PlugPoint("sightline.rules", Rule)


def test_installed_plug_ins_are_found_by_name_and_listed_in_its_order(monkeypatch):
    rules = install(monkeypatch, ("yearly", "yearly"), ("weekly", "weekly"))

    assert rules.get("weekly") == Rule(7)
    assert list(rules) == [("weekly", Rule(7)), ("yearly", Rule(365))]


def test_ours_join_by_the_same_door(monkeypatch):
    rules = install(monkeypatch, ("weekly", "weekly"))

    rules.add("daily", Rule(1))

    assert [name for name, _ in rules] == ["daily", "weekly"]


def test_a_name_that_is_taken_stops_the_start(monkeypatch):
    rules = install(monkeypatch, ("weekly", "weekly"))

    with pytest.raises(PluginNameTaken, match="are called weekly"):
        rules.add("weekly", Rule(8))

    assert rules.get("weekly") == Rule(7)


def test_two_packages_with_one_name_stop_every_start_not_only_the_first(monkeypatch):
    rules = install(monkeypatch, ("weekly", "weekly"), ("weekly", "yearly"))

    for _ in range(2):
        with pytest.raises(PluginNameTaken):
            rules.get("weekly")


def test_a_value_of_the_wrong_kind_is_refused(monkeypatch):
    rules = install(monkeypatch, ("weekly", "not_a_rule"))

    with pytest.raises(TypeError, match="weekly is a int, not a Rule"):
        list(rules)


def test_what_is_not_installed_is_said_by_name(monkeypatch):
    rules = install(monkeypatch)

    with pytest.raises(PluginNotInstalled, match="called monthly"):
        rules.get("monthly")


def test_our_own_model_comes_by_the_door():
    from sightline.intelligence import models

    assert isinstance(models.models.get("chest-ct-nodules"), models.Model)
