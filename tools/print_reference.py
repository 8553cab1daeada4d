"""Print the generated pages of the documentation from the registries that the product itself uses.

    python -m tools.print_reference            write the pages
    python -m tools.print_reference --check    exit 1 when a page is not what it would be

A page says nothing that the code does not: settings come from the settings classes, routes from the OpenAPI
description, events and jobs from what listens to them, errors from the error tree.
"""

import argparse
import ast
import importlib
import inspect
import json
import pkgutil
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import sightline
from sightline.kernel.errors import PlatformError
from tools import surface
from tools.conformance import conformance_page
from tools.markdown import first_sentence, page, table

T = TypeVar("T")

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
RUN_NOT_IMPORTED = re.compile(r"\.__main__$|\.migrations\.")


def load_everything() -> None:
    """Import every module of the product, so that all registries are full."""
    for module in pkgutil.walk_packages(sightline.__path__, "sightline."):
        if not RUN_NOT_IMPORTED.search(module.name):
            importlib.import_module(module.name)


def subclasses(parent: type[T]) -> Iterator[type[T]]:
    """Yield every subclass of `parent` in the product, parents before children."""
    children: list[type[T]] = parent.__subclasses__()
    for child in sorted(children, key=lambda c: (c.__module__, c.__qualname__)):
        if child.__module__.startswith("sightline."):
            yield child
        yield from subclasses(child)


def settings_page() -> str:
    """Return every environment variable with its default and its meaning."""
    from sightline.runtime.settings import DomainSettings

    parts = []
    for cls in subclasses(DomainSettings):
        rows = [
            (f"`{name}`", _default(field), field.description or "")
            for name, field in zip(cls.names(), cls.model_fields.values(), strict=True)
        ]
        parts.append(f"## {_section(cls.__module__)}\n\n{first_sentence(cls.__doc__)}\n")
        parts.append(table(["variable", "default", "meaning"], rows))
    lead = """
Settings are read once at the start from environment variables. A name that begins with `SIGHTLINE_`
and is not listed here stops the start. `SIGHTLINE_TEST_DATA` is for the tests and ignored
otherwise. Options of the commands go before the environment.
"""
    return page("Settings", lead, *parts)


def _default(field: Any) -> str:
    if field.is_required():
        return "(required)"
    value = field.get_default(call_default_factory=True)
    if value is None:
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value}`" if str(value) else "(empty)"


def _section(module: str) -> str:
    """Return the domain that a module belongs to, as a heading."""
    parts = [p for p in module.split(".")[1:] if p != "settings"]
    return ".".join(parts) or module


def commands_page() -> str:
    """Return every command with its arguments and options, as `--help` tells them."""

    import typer.main

    from sightline.app import cli

    root = typer.main.get_command(cli.app)
    parts = [_command_part(path, command) for path, command in _walk_commands(root, "sightline")]
    lead = """
Each command takes `--data DIR` to name the installation it works on, `./sightline-data` unless set,
and works beside a running server: on its database and blobs, as `operator:` with the name of the
system user, and recorded in the audit trail. What prints a result takes `--json`. A refusal goes to
standard error; the exit status is then 1, or 2 where the thing is not held or an option is wrong.
"""
    return page("Commands", lead, *parts)


def _walk_commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    children = getattr(command, "commands", None)
    if children is None:
        yield path, command
        return
    for name, child in sorted(children.items()):
        if not child.hidden:
            yield from _walk_commands(child, f"{path} {name}")


def _command_part(path: str, command: Any) -> str:
    arguments, options = [], []
    for param in command.params:
        if param.param_type_name == "argument":
            arguments.append(param)
        elif param.name not in {"help", "data"} and not getattr(param, "hidden", False):
            options.append(param)
    needed = [f"{option.opts[0]} {option.name.upper()}" for option in options if option.required]
    usage = " ".join([path, *(_argument(argument) for argument in arguments), *needed])
    rows: list[tuple[str, str, str]] = [
        (f"`{_argument(a)}`", "", _clean_help(getattr(a, "help", None))) for a in arguments
    ]
    rows += [
        (f"`{' / '.join([*o.opts, *o.secondary_opts])}`", _option_default(o), _clean_help(o.help))
        for o in options
    ]
    text = (
        f"## `{path}`\n\n{' '.join(inspect.cleandoc(command.help or '').split())}\n\n```console\n{usage}\n```"
    )
    return f"{text}\n\n{table(['', 'default', 'meaning'], rows)}" if rows else text


def _argument(argument: Any) -> str:
    name = (argument.metavar or argument.name).upper().strip("[].")
    name = f"{name}..." if argument.nargs == -1 else name
    return name if argument.required else f"[{name}]"


def _option_default(option: Any) -> str:
    default = option.default
    if callable(default) or default is None or default is False or type(default).__name__ == "Sentinel":
        return "required" if option.required else ""
    if default in ("", [], ()):
        return ""
    return "on" if default is True else f"`{default}`"


def _clean_help(text: str | None) -> str:
    return " ".join((text or "").split())


def http_page() -> str:
    """Return every route: the JSON API from its OpenAPI description, the rest from the application."""
    schema = surface.api_description()
    grouped: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for path, methods in sorted(schema["paths"].items()):
        for method, operation in methods.items():
            tag = (operation.get("tags") or ["other"])[0]
            words = operation.get("description") or operation.get("summary", "")
            grouped[tag].append((f"`{method.upper()} {path}`", first_sentence(words)))
    parts = []
    for tag, rows in sorted(grouped.items()):
        parts += [f"## {tag.capitalize()}", table(["request", "does"], rows)]
    outside = [
        (f"`{methods} {path}`", words or BESIDE.get(path, "A page of the web application."))
        for path, methods, words in surface.routes_outside_the_api()
        if not path.startswith(("/dicom-web", "/fhir"))
    ]
    parts += ["## Outside the JSON API", table(["request", "does"], outside)]
    parts.append("DICOMweb and FHIR are in the [conformance statement](../conformance.md).")
    lead = """
One port, 8600. The whole description with all fields is at `/api/openapi.json` of a running server.
Refusals are `application/problem+json` (RFC 9457) with a `code` of [Errors](errors.md). Who calls
is told by the session cookie, by `Authorization: Bearer`, or by Basic with a token as password;
writes by cookie need the header `X-Sightline: 1`.
"""
    return page("HTTP", lead, *parts)


# Routes for operators, which say nothing in the OpenAPI description.
BESIDE = {
    "/healthz": "Say that the process lives.",
    "/readyz": "Say that the database answers.",
    "/metrics": "Counters and timings for Prometheus.",
}


def events_page() -> str:
    """Return every event: who publishes it and which jobs listen."""
    from sightline.runtime import events

    listeners, publishers = events.listeners(), published_events()
    rows = [
        (
            f"`{name}`",
            ", ".join(f"`{module}`" for module in publishers.get(name, [])),
            ", ".join(f"[`{job}`](jobs.md)" for job in listeners.get(name, ())) or "nobody yet",
        )
        for name in sorted(set(listeners) | set(publishers))
    ]
    lead = """
An event is a row, written in the transaction of the act. Each listener is a [job](jobs.md) that is
enqueued in that same transaction, so that an event which is committed reaches every listener.
"""
    return page("Events", lead, table(["event", "published by", "heard by"], rows))


def published_events() -> dict[str, list[str]]:
    """Return which domains publish which events, read from the calls of ``events.publish``."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in sorted((ROOT / "src" / "sightline").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            name = node.args[1] if len(node.args) > 1 else None
            called = isinstance(node.func.value, ast.Name) and node.func.value.id == "events"
            if called and node.func.attr == "publish" and isinstance(name, ast.Constant):
                relative = path.relative_to(ROOT / "src").with_suffix("").parts
                found[str(name.value)].add(".".join(relative[1:3]))
    return {name: sorted(modules) for name, modules in found.items()}


def jobs_page() -> str:
    """Return every kind of job with what it does and what starts it."""
    from sightline.runtime import events, jobs

    heard: dict[str, list[str]] = defaultdict(list)
    for event, kinds in events.listeners().items():
        for kind in kinds:
            heard[kind].append(event)
    rows = [
        (
            f"`{kind.name}`",
            first_sentence(kind.work.__doc__),
            f"`{_section(kind.work.__module__.removesuffix('.jobs'))}`",
            ", ".join(f"`{event}`" for event in heard[kind.name]),
        )
        for kind in jobs.kinds()
    ]
    lead = """
A job survives crashes: it is enqueued in the transaction of the act that caused it, and each of its
steps is remembered. How many wait, run or failed stands in the worklist's status line and in
`/metrics`.
"""
    return page("Jobs", lead, table(["kind", "does", "domain", "started by the event"], rows))


def permissions_page() -> str:
    """Return the roles, and every action with the roles that may do it."""
    from sightline.trust import access

    roles = table(["role", "for"], [(f"`{name}`", words) for name, words in access.ROLES.items()])
    rows = [
        (f"`{action.name}`", action.description, ", ".join(access.roles_for(name)) or "nobody")
        for name, action in sorted(access.ACTIONS.items())
    ]
    lead = """
Every read and write asks for an action. The decision is made by policies written as text
(`trust/access/_policies/site.cedar`): what no policy permits is refused. A person may have several
roles. A token for a program reaches what its user may do, or the scopes it was made with: action
names, or a group such as `archive.*`.
"""
    return page("Permissions", lead, "## Roles", roles, "## Actions", table(["action", "", "roles"], rows))


def audit_page() -> str:
    """Return every act that the audit trail can hold."""
    from sightline.trust import audit

    lead = """
An act that is not listed here cannot be recorded: the program stops instead. What an entry holds,
and what the trail proves, is told in [The audit trail](../concepts/audit.md).
"""
    rows = [(f"`{act}`", words) for act, words in audit.acts().items()]
    return page("Audit acts", lead, table(["act", "meaning"], rows))


def models_page() -> str:
    """Return the models that come with Sightline, with their cards."""
    from sightline.intelligence import models

    lead = """
Models join by the [plug-in door](../guides/model.md); these come with Sightline and use the same
door. `sightline models` lists what is installed on a machine.
"""
    parts = []
    for name, model in models.models:
        card = model.card
        rows = [
            ("version", card.version),
            ("intended use", card.intended_use),
            ("not for", card.not_for),
            ("modality", card.modality),
            ("method", card.method),
            ("evidence", card.evidence),
            ("regulatory status", card.regulatory_status),
            ("licence", card.licence),
            ("weights", card.weights_sha256),
            ("parameters", ", ".join(f"`{key}` = {value}" for key, value in model.parameters.items())),
        ]
        parts += [f"## `{name}`: {card.title}", table(["", ""], rows)]
    return page("Models", lead, *parts)


def errors_page() -> str:
    """Return every refusal with its code and status."""
    from sightline.runtime.http import status_of

    rows = [(cls.code, status_of(cls.__new__(cls)), cls) for cls in subclasses(PlatformError)]
    lead = """
Every refusal is one of six kinds. Over HTTP it is a problem document whose `code` is listed here;
over DICOM and FHIR it is rendered as those standards want. The text of a refusal says what
happened, to which thing and what to do now, and never holds patient data.
"""
    cells = [
        (f"`{code}`", status, f"`{_section(cls.__module__).split('._')[0]}`", first_sentence(cls.__doc__))
        for code, status, cls in sorted(rows, key=lambda row: row[:2])
    ]
    return page("Errors", lead, table(["code", "HTTP", "from", "meaning"], cells))


def change_schema() -> str:
    """Return the JSON schema of what ``sightline change --json`` prints."""
    from sightline.intelligence.routing import ChangeAnswer

    return json.dumps(ChangeAnswer.model_json_schema(mode="serialization"), indent=2) + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "reference/settings.md": settings_page,
    "reference/commands.md": commands_page,
    "reference/http.md": http_page,
    "reference/events.md": events_page,
    "reference/jobs.md": jobs_page,
    "reference/permissions.md": permissions_page,
    "reference/audit.md": audit_page,
    "reference/models.md": models_page,
    "reference/errors.md": errors_page,
    "reference/change.schema.json": change_schema,
    "conformance.md": conformance_page,
}


def stale_pages(docs: Path = DOCS) -> list[str]:
    """Return the pages below `docs` that are not what the code would print."""
    load_everything()
    return [name for name, build in PAGES.items() if not _is_current(docs / name, build())]


def _is_current(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


def main(arguments: list[str] | None = None) -> int:
    """Write the pages, or compare them."""
    parser = argparse.ArgumentParser(description="Print the generated pages of the documentation.")
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    if parser.parse_args(arguments).check:
        stale = stale_pages()
        for name in stale:
            print(f"docs/{name} is not what the code would print; run `make reference`.", file=sys.stderr)
        return 1 if stale else 0
    load_everything()
    for name, build in PAGES.items():
        (DOCS / name).parent.mkdir(parents=True, exist_ok=True)
        (DOCS / name).write_text(build(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
