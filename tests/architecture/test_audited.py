"""Every request that changes something leads to an entry in the audit trail.

Read from the code: starting at the function behind a route, calls are followed through the imports until
one of them is ``audit.record``. What the entries hold is the business of each domain's own tests.
"""

import ast
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src"
WRITING = {"post", "put", "patch", "delete"}
RECORD = "sightline.trust.audit.record"
# Writing requests that need no entry, with the reason.
EXEMPT = {
    "sightline.care.lesions.routes.look": "measures and keeps nothing; noted by audit.record_read",
    "sightline.care.reading.routes.note_opening": "notes a read; reads are audited by audit.record_read",
    "sightline.care.worklist.routes.search_entries": "searches; a POST keeps names out of addresses",
    "sightline.record.archive.routes.search_studies": "searches; a POST keeps names out of addresses",
    "sightline.record.orders.routes.search_orders": "searches; a POST keeps names out of addresses",
    "sightline.wire.priors.routes.find_standings": "looks; a POST since a page names too many studies",
    "sightline.trust.audit.routes.verify": "an entry would change the root that it has just proved",
}

Code = dict[str, ast.Module]


def read_code(root: Path) -> Code:
    return {
        ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): ast.parse(
            path.read_text(encoding="utf-8")
        )
        for path in root.rglob("*.py")
    }


def imports_of(tree: ast.Module) -> dict[str, str]:
    """The full name behind each name that a module imports."""
    return {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def functions_of(tree: ast.Module) -> dict[str, list[ast.AST]]:
    """Functions, and methods, by name."""
    found: dict[str, list[ast.AST]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.setdefault(node.name, []).append(node)
    return found


class Reach:
    """What can be reached from a function by following calls."""

    def __init__(self, code: Code) -> None:
        self.imports = {module: imports_of(tree) for module, tree in code.items()}
        self.functions = {module: functions_of(tree) for module, tree in code.items()}

    def records(self, name: str) -> bool:
        """Whether the function of this full name comes to ``audit.record``."""
        seen: set[str] = set()
        ahead = [name]
        while ahead:
            current = self._behind(ahead.pop())
            if current == RECORD:
                return True
            if current not in seen:
                seen.add(current)
                ahead += self._called_by(current)
        return False

    def _behind(self, name: str) -> str:
        """The name where a thing is defined, seen through the faces that hand it on."""
        module, _, last = name.rpartition(".")
        while name != RECORD and last in self.imports.get(module, {}):
            name = self.imports[module][last]
            module, _, last = name.rpartition(".")
        return name

    def _called_by(self, name: str) -> set[str]:
        module, _, last = name.rpartition(".")
        found = set()
        for function in self.functions.get(module, {}).get(last, []):
            for node in ast.walk(function):
                if isinstance(node, ast.Name):
                    found.add(self.imports[module].get(node.id, f"{module}.{node.id}"))
                if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                    owner = self.imports[module].get(node.value.id)
                    # A method of the class itself is looked for in its module.
                    found.add(f"{owner}.{node.attr}" if owner else f"{module}.{node.attr}")
        return found


def writing_handlers(code: Code) -> list[str]:
    """The functions that routers call for writing requests, by full name."""
    return sorted(
        f"{module}.{function.name}"
        for module, tree in code.items()
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        and any(
            isinstance(mark, ast.Call) and isinstance(mark.func, ast.Attribute) and mark.func.attr in WRITING
            for mark in function.decorator_list
        )
    )


def test_every_writing_route_is_audited():
    code = read_code(SOURCE)
    reach = Reach(code)
    handlers = writing_handlers(code)

    assert len(handlers) >= 10
    assert [name for name in handlers if not reach.records(name)] == sorted(EXEMPT)


def test_a_writing_route_that_leaves_no_trace_is_found():
    code = {
        "s.routes": ast.parse(
            "from s import shelf\n"
            "@router.put('/x')\ndef change(db): shelf.change(db)\n"
            "@router.delete('/x')\ndef remove(db): shelf.remove(db)\n"
        ),
        "s.shelf": ast.parse("from s.shelf._service import change, remove"),
        "s.shelf._service": ast.parse(
            "from sightline.trust import audit\n"
            "def change(db): db.save()\n"
            "def remove(db): note(db)\n"
            "def note(db): audit.record(db, 'x.remove')\n"
        ),
    }
    reach = Reach(code)

    assert [name for name in writing_handlers(code) if not reach.records(name)] == ["s.routes.change"]
