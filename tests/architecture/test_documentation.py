"""Everything that users meet by name is documented, and the pages are what the code would print."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from sightline.runtime import events, jobs
from sightline.runtime.settings import DomainSettings
from sightline.trust import access, audit
from tools import print_reference, surface

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


@pytest.fixture(scope="module", autouse=True)
def everything():
    """All registries are full."""
    print_reference.load_everything()


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def test_the_generated_pages_are_what_the_code_would_print():
    # In a process of its own: other tests put acts and jobs of theirs into the registries of this one.
    command = [sys.executable, "-m", "tools.print_reference", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_setting_is_documented_with_a_sentence():
    text = page("reference/settings.md")
    for cls in print_reference.subclasses(DomainSettings):
        assert all(field.description for field in cls.model_fields.values()), cls
        assert [name for name in cls.names() if f"`{name}`" not in text] == []


def test_every_class_of_settings_is_read_at_the_start():
    from sightline.app.settings import CLASSES

    assert set(print_reference.subclasses(DomainSettings)) == set(CLASSES)


def test_every_event_is_documented():
    text = page("reference/events.md")
    names = set(events.listeners()) | set(print_reference.published_events())

    assert [name for name in sorted(names) if f"`{name}`" not in text] == []


def test_every_event_that_somebody_hears_is_published_by_somebody():
    assert set(events.listeners()) <= set(print_reference.published_events())


def test_every_kind_of_job_is_documented_and_says_what_it_does():
    text = page("reference/jobs.md")
    ours = [kind for kind in jobs.kinds() if kind.work.__module__.startswith("sightline.")]

    assert ours
    assert [kind.name for kind in ours if f"`{kind.name}`" not in text] == []
    assert [kind.name for kind in ours if not kind.work.__doc__] == []


def test_every_action_and_role_is_documented():
    text = page("reference/permissions.md")

    assert [name for name in [*access.ACTIONS, *access.ROLES] if f"`{name}`" not in text] == []


def test_every_audit_act_is_documented():
    text = page("reference/audit.md")

    ours = [act for act in audit.acts() if not act.startswith("test.")]

    assert [act for act in ours if f"`{act}`" not in text] == []


def test_every_route_is_documented_and_says_what_it_does():
    text = page("reference/http.md")
    paths = surface.api_description()["paths"]
    silent = [
        f"{method} {path}"
        for path, methods in paths.items()
        for method, operation in methods.items()
        if not operation.get("description") or f"`{method.upper()} {path}`" not in text
    ]

    assert silent == []


def test_every_direct_dependency_has_its_reason():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = project["dependency-groups"]
    asked = [
        *project["project"]["dependencies"],
        *(one for extra in project["project"]["optional-dependencies"].values() for one in extra),
        *groups["build"],
        *groups["dev"],
    ]
    names = {re.split(r"[\[<>=!~; ]", requirement)[0] for requirement in asked}
    explained = set(re.findall(r"^\| `([^`]+)` \|", python_part(), flags=re.MULTILINE))

    assert explained == names


def test_every_library_in_the_browser_has_its_reason():
    import json

    manifest = json.loads((ROOT / "web" / "package.json").read_text())
    _, _, browser = page("reference/dependencies.md").partition("## In the browser")

    assert set(re.findall(r"`([^`]+)`", browser)) == set(manifest["dependencies"])


def python_part() -> str:
    return page("reference/dependencies.md").partition("## In the browser")[0]


def test_every_page_stands_in_the_navigation():
    navigation = (ROOT / "mkdocs.yml").read_text()
    pages = [path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")]

    assert [name for name in pages if name not in navigation] == []


def test_every_decision_is_in_the_list_of_decisions():
    index = page("decisions/index.md")
    pages = [path.name for path in (DOCS / "decisions").glob("0*.md")]

    assert [name for name in pages if name not in index] == []


def test_the_fixed_names_that_others_rely_on_are_in_the_guides():
    guides = "".join(path.read_text() for path in (DOCS / "guides").glob("*.md"))

    for name in ("8600", "11112", "SIGHTLINE", "/dicom-web", "sightline token create", "make demo"):
        assert name in guides
