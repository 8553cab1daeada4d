"""Command line of models: ``sightline models``."""

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console

from sightline.intelligence import models

commands = typer.Typer()
out = Console()

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@commands.command("models")
def list_models(as_json: AsJson = False) -> None:
    """List the installed models with what must be known of them."""
    cards = {name: model.card for name, model in models.models}
    if as_json:
        out.print_json(json.dumps({name: asdict(card) for name, card in cards.items()}))
        return
    for name, card in cards.items():
        out.print(f"[bold]{name}[/bold] {card.version}  {card.modality}  {card.regulatory_status}")
        for label in ("intended_use", "not_for", "method", "evidence", "licence"):
            out.print(f"  {label.replace('_', ' ')}: {getattr(card, label)}", highlight=False)
