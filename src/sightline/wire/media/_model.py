"""What an import found and did."""

from collections.abc import Callable
from dataclasses import dataclass, field

from sightline.record.archive import Outcome


@dataclass(slots=True)
class ImportSummary:
    """Counts and reasons; `refused` and `skipped` are ``(name, reason)``, `stopped` why it ended early."""

    stored: int = 0
    held: int = 0
    conflicts: list[tuple[str, str]] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    studies: dict[str, int] = field(default_factory=dict)
    stopped: str = ""

    @property
    def seen(self) -> int:
        """How many objects came to an end so far."""
        return self.stored + self.held + len(self.conflicts) + len(self.refused)

    def add(self, outcome: Outcome) -> None:
        """Count one outcome; `studies` counts what was stored or held in each."""
        if outcome.status == "conflict":
            self.conflicts.append((outcome.name, outcome.reason))
        elif outcome.status == "refused":
            self.refused.append((outcome.name, outcome.reason))
        else:
            self.stored += outcome.status == "stored"
            self.held += outcome.status == "held"
            self.studies[outcome.study_uid] = self.studies.get(outcome.study_uid, 0) + 1


Progress = Callable[[ImportSummary], None]
"""Is told after each object."""
