"""Models plug in, are described by a card and run in a process of their own.

Invariants: a model without a card cannot be built; every result names the model's version, the objects it
saw and the hash of its parameters; a model reads files and writes files and knows nothing of the house.
"""

from sightline.intelligence.models._lesions import propose_lesion
from sightline.intelligence.models._model import (
    Model,
    ModelCard,
    ModelOutput,
    ProposedLesion,
    UnusableOutput,
    models,
    read_output,
    write_output,
)
from sightline.intelligence.models._service import Binding, bind, run_model

__all__ = [
    "Binding",
    "Model",
    "ModelCard",
    "ModelOutput",
    "ProposedLesion",
    "UnusableOutput",
    "bind",
    "models",
    "propose_lesion",
    "read_output",
    "run_model",
    "write_output",
]
