"""Made-up histories with stated relevance, read and judged; `bench/record/relevance.py` prints them."""
# ruff: noqa: DTZ001  DICOM gives local time without an offset

import tomllib
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sightline.record.timeline import Candidate, RankedPrior, describe, rank_priors

NOW = datetime(2026, 5, 3, 9, 41)


@dataclass(frozen=True)
class History:
    """A study, and earlier ones with their marks: ``*`` to be opened, ``+`` useful, ``-`` neither."""

    now: Candidate
    earlier: list[tuple[Candidate, str]]


@dataclass(frozen=True)
class Verdict:
    """Recall of the first and of the first three, over how many, and the histories that are not right."""

    first: float
    first_of: int
    three: float
    three_of: int
    noise: int
    wrong: list[History]


def read_histories(name: str = "histories") -> list[History]:
    """Return the histories of a file beside this one: those in sight of the ranking, or ``unseen``."""
    file = Path(__file__).with_name(f"{name}.toml")
    return [_history(case) for case in tomllib.loads(file.read_text(encoding="utf-8"))["case"]]


def _history(case: dict[str, Any]) -> History:
    earlier = [
        # Two hours before that hour of the day, so that a study of the same day is an earlier one.
        (_study(str(k), NOW - timedelta(days=days, hours=2), *facts), mark)
        for k, (mark, days, *facts) in enumerate(case["earlier"])
    ]
    return History(_study("now", NOW, *case["now"]), earlier)


def _study(
    uid: str, at: datetime, modality: str, exam: str, part: str, images: int, reason: str = ""
) -> Candidate:
    return describe(uid, at, modality, exam, images, part, reason)


def ranked(history: History) -> tuple[RankedPrior, ...]:
    """Return the earlier studies of a history as they are ranked."""
    return rank_priors(history.now, [other for other, _ in history.earlier])


def judge(histories: list[History]) -> Verdict:
    """Return how well the ranking agrees with what was stated."""
    first, three, noise, wrong = [], [], 0, []
    for history in histories:
        marks = [history.earlier[int(prior.study_uid)][1] for prior in ranked(history)]
        stated = [mark for _, mark in history.earlier]
        if "*" in stated:
            first.append(marks[:1] == ["*"])
        relevant = sum(mark != "-" for mark in stated)
        held = sum(mark != "-" for mark in marks[:3])
        three += [True] * held + [False] * (min(relevant, 3) - held)
        last = max((k for k, mark in enumerate(marks) if mark != "-"), default=-1)
        before = sum(mark == "-" for mark in marks[: last + 1])
        noise += before
        if (marks[:1] != ["*"][: stated.count("*")] and "*" in stated) or held < min(relevant, 3) or before:
            wrong.append(history)
    return Verdict(sum(first) / len(first), len(first), sum(three) / len(three), len(three), noise, wrong)
