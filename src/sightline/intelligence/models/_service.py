"""Running a model: bind it to its input, call it in a child process, read its answer back."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import rfc8785

from sightline.intelligence.models._model import Model, ModelOutput, models, read_output
from sightline.runtime import processes


@dataclass(frozen=True, slots=True)
class Binding:
    """What a result is answerable to; `run` is the same whenever all of it is the same."""

    model: str
    version: str
    card_sha256: str
    inputs_sha256: str
    parameters_sha256: str

    @property
    def run(self) -> str:
        """Return the identity of the run: model, version, card, inputs and parameters together."""
        return _digest(asdict(self))[:40]


def bind(name: str, sop_uids: Sequence[str]) -> Binding:
    """Bind the installed model `name` to the objects it is going to see."""
    model = models.get(name)
    return Binding(
        model=name,
        version=model.card.version,
        card_sha256=_digest(asdict(model.card)),
        inputs_sha256=_digest(sorted(sop_uids)),
        parameters_sha256=_digest(dict(model.parameters)),
    )


def run_model(name: str, series: Path, output: Path, *, timeout_s: float = 900) -> ModelOutput:
    """Run a model on a folder of DICOM files in a process of its own and read its answer.

    Raises
    ------
    PlatformError
        What the model refused with, in words for the reader (``LungsNotFound``).
    ChildFailed
        If it crashed or ran out of time or memory.
    UnusableOutput
        If its files are not of the stated form.
    """
    processes.run_capped(_run, (name, series, output), timeout_s=timeout_s)
    return read_output(output)


def _run(name: str, series: Path, output: Path) -> None:
    model: Model = models.get(name)
    model.run(series, output, model.parameters)


def _digest(value: Mapping[str, Any] | Sequence[Any]) -> str:
    return hashlib.sha256(rfc8785.dumps(value)).hexdigest()
