"""The faces contract: a domain is entered by its face, and by nothing else.

A domain is a child of a tier (``sightline.record.archive``). Whatever lies below it is its own affair;
others import the domain itself. Four modules, ``routes``, ``commands``, ``jobs`` and ``settings``, may be
taken by the assembly as well, and by nobody else.
"""

from dataclasses import dataclass
from typing import cast

import grimp
from importlinter import Contract, ContractCheck, fields, output


@dataclass(frozen=True, slots=True)
class Trespass:
    """One import that goes past a face: who, what, and on which lines."""

    importer: str
    imported: str
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class House:
    """The tiers, and which parts of a domain the assembler may take."""

    tiers: frozenset[str]
    assembled: frozenset[str]
    assembler: str

    def domain_of(self, module: str) -> str | None:
        """Return the domain that `module` is, or lies in; none for a tier itself and for strangers.

        >>> house = House(frozenset({"s.record"}), frozenset(), "s.app")
        >>> house.domain_of("s.record.archive._store"), house.domain_of("s.record")
        ('s.record.archive', None)
        """
        parts = module.split(".")
        for end in range(1, len(parts)):
            if ".".join(parts[:end]) in self.tiers:
                return ".".join(parts[: end + 1])
        return None

    def permits(self, importer: str, imported: str) -> bool:
        """Tell whether `importer` may import `imported` as far as faces go."""
        domain = self.domain_of(imported)
        if domain is None or imported == domain:
            return True
        if importer == domain or importer.startswith(f"{domain}."):
            return True
        assembling = importer == self.assembler or importer.startswith(f"{self.assembler}.")
        return assembling and imported.removeprefix(f"{domain}.") in self.assembled


class FacesContract(Contract):
    """Refuses every direct import of a module below a domain from outside that domain."""

    type_name = "faces"

    tiers = fields.SetField(subfield=fields.StringField())
    assembled = fields.SetField(subfield=fields.StringField())
    assembler = fields.StringField()
    broken_contract_guidance = fields.TextField(required=False)

    def check(self, graph: grimp.ImportGraph, verbose: bool) -> ContractCheck:
        """Compare every import in the graph with the rule."""
        house = House(
            frozenset(cast("set[str]", self.tiers)),
            frozenset(cast("set[str]", self.assembled)),
            cast("str", self.assembler),
        )
        found = trespasses(graph, house)
        output.verbose_print(verbose, f"{len(found)} imports go past a face.")
        return ContractCheck(kept=not found, metadata={"trespasses": found})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print one line for each import that goes past a face."""
        for trespass in check.metadata["trespasses"]:
            lines = ", ".join(f"l.{line}" for line in trespass.lines)
            output.print_error(
                f"{trespass.importer} is not allowed to import {trespass.imported} ({lines})", bold=False
            )


def trespasses(graph: grimp.ImportGraph, house: House) -> list[Trespass]:
    """Return every import of the graph that goes past a face, in the order of the importers' names."""
    return [
        Trespass(importer, imported, _lines(graph, importer, imported))
        for importer in sorted(graph.modules)
        for imported in sorted(graph.find_modules_directly_imported_by(importer))
        if not house.permits(importer, imported)
    ]


def _lines(graph: grimp.ImportGraph, importer: str, imported: str) -> tuple[int, ...]:
    details = graph.get_import_details(importer=importer, imported=imported)
    return tuple(sorted({detail["line_number"] for detail in details}))
