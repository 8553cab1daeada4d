"""Pages and tables of Markdown."""

import inspect
from collections.abc import Iterable

NOTE = "<!-- Printed by tools/print_reference.py from the code: change that, then run `make reference`. -->"


def page(title: str, lead: str, *parts: str) -> str:
    """Return a page of Markdown."""
    return "\n\n".join([f"# {title}", NOTE, lead.strip(), *(part.strip() for part in parts)]) + "\n"


def table(heads: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a Markdown table; bars and line ends in cells are made harmless.

    >>> print(table(["a", "b"], [["x|y", 1]]))
    | a | b |
    |---|---|
    | x\\|y | 1 |
    """
    heads = list(heads)
    lines = [heads, ["---"] * len(heads), *rows]
    texts = [[str(cell).replace("|", "\\|").replace("\n", " ") for cell in line] for line in lines]
    joined = [" | ".join(cells) for cells in texts]
    return "\n".join(f"| {line} |" if i != 1 else f"|{'|'.join(texts[1])}|" for i, line in enumerate(joined))


def first_sentence(text: str | None) -> str:
    """Return the first paragraph of a docstring on one line."""
    return " ".join(inspect.cleandoc(text or "").split("\n\n")[0].split())
