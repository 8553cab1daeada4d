"""Licences are judged: what may not be in the product is refused, by name."""

import json

import pytest

from tools import licences


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True),
        ("(MIT OR GPL-3.0-only) AND Zlib", True),
        ("GPL-2.0-only OR MPL-2.0", True),
        ("Apache-2.0 WITH LLVM-exception", True),
        ("MIT AND GPL-3.0-or-later", False),
        ("AGPL-3.0-only", False),
        ("BUSL-1.1", False),
        ("MIT)", False),
        ("(MIT", False),
        ("unknown", False),
        ("", False),
    ],
)
def test_an_expression_is_allowed_when_allowed_licences_alone_meet_it(expression, allowed):
    assert licences.is_allowed(expression) is allowed


def test_a_gpl_library_in_the_product_is_refused_by_name():
    verdict = licences.judge("knot", "1", "GPL-3.0-only", strictly=True)

    assert verdict.problem is not None
    assert verdict.problem.startswith("knot is under 'GPL-3.0-only'")


def test_a_gpl_tool_is_listed_and_an_agpl_tool_is_refused():
    assert licences.judge("tool", "1", "GPL-3.0-only", strictly=False).problem is None
    assert licences.judge("tool", "1", "AGPL-3.0-only", strictly=False).problem is not None


def test_a_library_of_unknown_licence_is_refused_until_a_person_has_read_it():
    assert licences.judge("mute", "1", "unknown", strictly=True).problem is not None


def test_only_what_a_lock_asks_for_on_this_machine_is_judged():
    one = "one==1.0 \\\n    --hash=sha256:00\n"
    two = 'two==2.0 ; sys_platform == "nowhere" \\\n    --hash=sha256:00\n'
    lock = f"# made by a machine\n{one}{two}"

    assert list(licences.locked_names(lock)) == ["one"]


def test_browser_packages_are_strict_when_shipped_and_lenient_when_not(tmp_path):
    packages = {
        "": {"name": "web"},
        "node_modules/shown": {"version": "1.0.0", "license": "GPL-3.0-only"},
        "node_modules/built-with": {"version": "1.0.0", "license": "GPL-3.0-only", "dev": True},
    }
    (tmp_path / "package-lock.json").write_text(json.dumps({"packages": packages}))

    refused = [v.package for v in licences.browser_verdicts(tmp_path) if v.problem]

    assert refused == ["shown"]


def test_everything_installed_here_may_be_there(capsys):
    assert licences.main([]) == 0, capsys.readouterr().err
