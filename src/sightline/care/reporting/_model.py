"""A report: sections of sentences with what they rest on; how a draft is composed, merged and checked."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sightline.kernel.dates import long_date
from sightline.kernel.errors import Conflict, Invalid, NotFound
from sightline.kernel.quantities import Quantity
from sightline.record import findings, timeline

SECTIONS = ("Technique", "Comparison", "Findings", "Impression")


class ReportAlreadySigned(Conflict):
    """The report is signed and cannot be changed; write an addendum instead."""


class ReportChangedMeanwhile(Conflict):
    """Someone, or the analysis, changed the report since you opened it; look at it again."""


class ReportNotReady(Invalid):
    """A check found an error; correct it, then sign."""


class UnknownSection(Invalid):
    """What was written has a heading that the report does not have, or one twice; use its headings."""


class ReportNotHeld(NotFound):
    """There is no such report."""


class ReportState(StrEnum):
    """Whether a person has put a name to it."""

    DRAFT = "draft"
    SIGNED = "signed"


@dataclass(frozen=True, slots=True)
class Basis:
    """What a sentence rests on: a finding, the comparison, the study, or a person's own words."""

    kind: str
    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence; `drafted` is what the draft said, None for a person's own sentence."""

    id: str
    text: str
    drafted: str | None
    sources: tuple[Basis, ...]

    @property
    def edited(self) -> bool:
        """Say whether a person changed or wrote it."""
        return self.text != self.drafted


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and its sentences."""

    name: str
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class ReportObject:
    """A standard object that a signed report became."""

    kind: str
    uid: str
    series_uid: str
    label: str


@dataclass(frozen=True, slots=True)
class Report:
    """The report of a study as it stands; version 0 is a draft that nobody has touched."""

    id: str
    study_uid: str
    patient: str
    state: ReportState
    version: int
    sections: tuple[Section, ...]
    removed: frozenset[str] = frozenset()
    signed_by: str | None = None
    signed_by_name: str | None = None
    signed_at: datetime | None = None
    objects: tuple[ReportObject, ...] = ()
    objects_state: str = "none"

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """All sentences in order."""
        return tuple(sentence for section in self.sections for sentence in section.sentences)

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the words, by which a person says what they have seen."""
        text = "\n".join(f"{s.name}\n" + "\n".join(x.text for x in s.sentences) for s in self.sections)
        return hashlib.sha256(text.encode()).hexdigest()

    def require_open(self, version: int, digest: str | None = None) -> None:
        """Refuse a change to a signed report, or to one whose version or words are no longer those seen."""
        if self.state is ReportState.SIGNED:
            raise ReportAlreadySigned("The report is signed and cannot be changed.")
        if version != self.version or digest not in (None, self.digest):
            raise ReportChangedMeanwhile("The report has changed since you opened it; look at it again.")


@dataclass(frozen=True, slots=True)
class Facts:
    """What a draft is composed from."""

    study_uid: str
    exam: str
    images: int
    slice_mm: float | None
    findings: Sequence[findings.Finding]
    comparison: timeline.Comparison | None
    priors: int
    prior_exam: str
    prior_date: str
    analysis_text: str
    analysis_ended: bool
    frames: int = 0
    """Of the largest series; more than `images` where an instance holds many."""


def compose_draft(facts: Facts) -> tuple[Section, ...]:
    """Return the draft: what was done, compared with what, the findings a person accepted, the essence."""
    counting = [f for f in facts.findings if f.counts]
    changes: dict[str | None, timeline.Change] = {}
    if facts.comparison:
        changes = {c.current: c for c in facts.comparison.changes if c.current}
    said = [_finding_sentence(f, changes.get(f.id), facts.prior_date) for f in counting]
    return (
        Section("Technique", (_technique(facts),)),
        Section("Comparison", (_compared_with(facts),)),
        Section("Findings", tuple(said) or (_nothing_found(facts),)),
        Section("Impression", _impression(counting, changes, facts)),
    )


def _technique(facts: Facts) -> Sentence:
    return _drafted(
        "technique",
        f"{facts.exam}{_extent(facts)}.",
        Basis("study", facts.study_uid, "from the image headers"),
    )


def _extent(facts: Facts) -> str:
    """Return how much was recorded; nothing where there are no images, as of a tracing."""
    if not facts.images:
        return ""
    if facts.images == 1 and facts.frames > 1:
        return f", {facts.frames} frames"
    count = "1 image" if facts.images == 1 else f"{facts.images} images"
    return f", {count}" + (f" of {facts.slice_mm:.1f} mm" if facts.slice_mm else "")


def _compared_with(facts: Facts) -> Sentence:
    comparison = facts.comparison
    if comparison is None and facts.priors:
        text, why = "Not compared with earlier studies.", "earlier studies are held; none was compared"
        return _drafted("comparison", text, Basis("study", facts.study_uid, why))
    if comparison is None:
        return _drafted(
            "comparison", "None available.", Basis("study", facts.study_uid, "no earlier study is held")
        )
    text = f"{facts.prior_exam} of {long_date(facts.prior_date)}."
    if comparison.alignment.verdict == "failed":
        text = f"{text[:-1]}; the images could not be aligned, so change was not measured."
    why = f"{comparison.why}; alignment {comparison.alignment.verdict}: {comparison.alignment.reason}"
    return _drafted("comparison", text, Basis("comparison", comparison.id, why))


def _nothing_found(facts: Facts) -> Sentence:
    if not facts.analysis_ended:
        text = "No findings have been recorded; the analysis is still under way."
    elif any(_undecided(f) for f in facts.findings):
        text = "No finding has been accepted."
    else:
        text = "No findings were recorded."
    return _drafted(
        "no-findings", text, Basis("study", facts.study_uid, facts.analysis_text or "no analysis")
    )


def _finding_sentence(finding: findings.Finding, change: timeline.Change | None, prior_date: str) -> Sentence:
    size = _size(finding.values)
    volume = finding.values.get("volume")
    said = f"{_capital(finding.label)}: {size}"
    if volume:
        said += f", volume {_with_interval(volume, 'mm³')}"
    if change and change.kind == "new":
        said += f"; new since {long_date(prior_date)}"
    elif change and change.percent is not None:
        said += f"; {_changed(change, prior_date)}"
    bases = [
        Basis("finding", finding.id, f"{finding.state.value} by {finding.decided_by_name}; {finding.why}")
    ]
    if change:
        bases.append(Basis("comparison", finding.id, change.reason))
    return _drafted(f"finding-{finding.id}", f"{said}.", *bases)


def _changed(change: timeline.Change, prior_date: str) -> str:
    words = {"grown": "grown", "shrunk": "smaller", "stable": "stable"}
    said = f"{words.get(change.kind, 'change cannot be told')} since {long_date(prior_date)}"
    interval = ""
    if change.low is not None and change.high is not None:
        interval = f", 95 % interval {change.low:+.0f} to {change.high:+.0f} %"
    return f"{said} (volume {change.percent:+.0f} %{interval})"


def _impression(
    counting: Sequence[findings.Finding], changes: Mapping[str | None, timeline.Change], facts: Facts
) -> tuple[Sentence, ...]:
    told = []
    for finding in counting:
        change = changes.get(finding.id)
        if change and change.kind in ("grown", "new", "shrunk"):
            text = f"{_capital(_KIND_WORDS[change.kind])} {finding.label} ({_size(finding.values)})"
            if change.kind == "grown" and change.doubling_days:
                text += f", volume doubling time {change.doubling_days:.0f} days"
            told.append(
                _drafted(f"impression-{finding.id}", f"{text}.", Basis("finding", finding.id, change.reason))
            )
    calm = [f for f in counting if not any(s.id == f"impression-{f.id}" for s in told)]
    if calm:
        stable = all((c := changes.get(f.id)) and c.kind == "stable" for f in calm)
        names = "finding" if len(calm) == 1 else "findings"
        text = f"{len(calm)} {names} {'unchanged' if stable else 'without measurable change'}."
        if not facts.comparison:
            why = "not compared with earlier studies" if facts.priors else "no earlier study to compare with"
            text = f"{len(calm)} {names}; {why}."
        told.append(_drafted("impression-rest", text, *(Basis("finding", f.id, f.label) for f in calm)))
    if not told:
        settled = facts.analysis_ended and not any(_undecided(f) for f in facts.findings)
        text = "No findings were recorded." if settled else "No finding has been accepted."
        told.append(_drafted("impression-none", text, Basis("study", facts.study_uid, "no accepted finding")))
    return tuple(told)


def _undecided(finding: findings.Finding) -> bool:
    return finding.state is findings.State.PROPOSED


_KIND_WORDS = {"grown": "growing", "new": "new", "shrunk": "smaller"}


def _drafted(id_: str, text: str, *sources: Basis) -> Sentence:
    return Sentence(id_, text, text, sources)


def _size(values: Mapping[str, Quantity]) -> str:
    long_axis, short_axis = values.get("long_axis"), values.get("short_axis")
    if long_axis and short_axis:
        return f"{long_axis.value:.1f} × {short_axis.value:.1f} mm"
    return f"{long_axis.value:.1f} mm" if long_axis else "size not measured"


def _with_interval(quantity: Quantity, unit: str) -> str:
    text = f"{quantity.value:.0f} {unit}"
    if quantity.low is None or quantity.high is None:
        return text
    return f"{text} (95 % interval {quantity.low:.0f} to {quantity.high:.0f})"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def merge_draft(drafted: Sequence[Section], report: Report) -> tuple[Section, ...]:
    """Return a new draft with a person's words kept.

    What a person changed or wrote stays, where they put it; a sentence nobody touched follows the draft, and
    goes when the draft no longer says it; what a person took out does not come back.
    """
    fresh = {sentence.id: sentence for section in drafted for sentence in section.sentences}
    held = {section.name: section.sentences for section in report.sections}
    known = {sentence.id for sentence in report.sentences} | report.removed
    return tuple(
        Section(
            section.name,
            (
                *(kept for old in held.get(section.name, ()) if (kept := _kept(old, fresh.get(old.id)))),
                *(sentence for sentence in section.sentences if sentence.id not in known),
            ),
        )
        for section in drafted
    )


def _kept(old: Sentence, new: Sentence | None) -> Sentence | None:
    """Return what becomes of a sentence: a person's words with the present sources, else the draft's."""
    if not old.edited:
        return new
    return replace(old, sources=new.sources) if new else old


@dataclass(frozen=True, slots=True)
class Check:
    """What a check found; an error keeps the report from being signed."""

    id: str
    severity: str
    message: str
    sentence_id: str | None = None


UNFILLED = re.compile(r"\[\s*\]|\*{3}|_{3,}|\?{3}")
NUMBER = r"\d+(?:\.\d+)?"
LENGTHS = re.compile(rf"((?:{NUMBER}\s*[x×]\s*)*{NUMBER})\s*(mm|cm)\b(?![³²])")


def check_report(sections: Sequence[Section], facts: Facts) -> tuple[tuple[Check, ...], int]:
    """Return what the checks found, and how many of them found nothing."""
    found = [check for rule in CHECKS for check in rule(sections, facts)]
    failed = {check.id for check in found}
    return tuple(found), len(CHECKS) - len(failed)


def _check_unfilled(sections: Sequence[Section], _: Facts) -> list[Check]:
    return [
        Check("unfilled", "error", "A field is not filled in.", sentence.id)
        for sentence in _all(sections)
        if UNFILLED.search(sentence.text)
    ]


def _check_empty(sections: Sequence[Section], _: Facts) -> list[Check]:
    empty = [s.name for s in sections if s.name in ("Findings", "Impression") and not _text(s).strip()]
    return [Check("empty", "error", f"{name} is empty.") for name in empty]


def _check_untouched(sections: Sequence[Section], facts: Facts) -> list[Check]:
    told = [s for s in _all(sections) if s.edited or any(b.kind == "finding" for b in s.sources)]
    if told or any(f.counts for f in facts.findings):
        return []
    return [Check("untouched", "warning", "No finding was accepted and nothing was written by a person.")]


def _check_laterality(sections: Sequence[Section], facts: Facts) -> list[Check]:
    side_of = {f.id: f.laterality for f in facts.findings if f.laterality}
    words = {"R": ("left", "right"), "L": ("right", "left")}
    found = []
    for sentence in _all(sections):
        sides = {side_of[b.id] for b in sentence.sources if b.kind == "finding" and b.id in side_of}
        if len(sides) != 1:
            continue
        wrong, right = words[sides.pop()]
        said = set(re.findall(r"\b(left|right)\b", sentence.text.casefold()))
        if wrong in said and right not in said:
            found.append(
                Check(
                    "laterality",
                    "error",
                    f"The sentence says {wrong}; its finding lies {right}.",
                    sentence.id,
                )
            )
    return found


def _check_size(sections: Sequence[Section], facts: Facts) -> list[Check]:
    sizes = {f.id: f.values["long_axis"].value for f in facts.findings if "long_axis" in f.values}
    found = []
    for sentence in _all(sections):
        measured = [sizes[b.id] for b in sentence.sources if b.kind == "finding" and b.id in sizes]
        said = _lengths_mm(sentence.text)
        if sentence.edited and measured and said and not any(m / 2 <= max(said) <= 2 * m for m in measured):
            message = f"The sentence says {max(said):.1f} mm; the finding measures {measured[0]:.1f} mm."
            found.append(Check("size", "warning", message, sentence.id))
    return found


def _lengths_mm(text: str) -> list[float]:
    return [
        float(number) * (10 if unit == "cm" else 1)
        for numbers, unit in LENGTHS.findall(text)
        for number in re.findall(NUMBER, numbers)
    ]


def _check_undecided(_: Sequence[Section], facts: Facts) -> list[Check]:
    open_ones = sum(_undecided(f) for f in facts.findings)
    if not open_ones:
        return []
    many = "findings are" if open_ones > 1 else "finding is"
    return [Check("undecided", "warning", f"{open_ones} proposed {many} undecided and not in the report.")]


def _check_rejected(sections: Sequence[Section], facts: Facts) -> list[Check]:
    state_of = {f.id: f.state for f in facts.findings}
    counting = {f.id for f in facts.findings if f.counts}
    words = {findings.State.REJECTED: "was rejected", findings.State.PROPOSED: "nobody has accepted"}
    found = []
    for sentence in _all(sections):
        astray = [b.id for b in sentence.sources if b.kind == "finding" and b.id not in counting]
        if astray:
            state = state_of.get(astray[0], findings.State.SUPERSEDED)
            message = f"The sentence rests on a finding that {words.get(state, 'a newer analysis replaced')}."
            found.append(Check("rejected", "error", message, sentence.id))
    return found


def _check_comparison(sections: Sequence[Section], facts: Facts) -> list[Check]:
    if facts.comparison is None:
        return []
    text = " ".join(_text(s) for s in sections if s.name == "Comparison")
    if long_date(facts.prior_date) in text or facts.prior_date in text:
        return []
    return [Check("comparison", "warning", f"The prior of {long_date(facts.prior_date)} is not named.")]


def _check_alignment(_: Sequence[Section], facts: Facts) -> list[Check]:
    if facts.comparison is None or facts.comparison.alignment.verdict == "good":
        return []
    verdict = facts.comparison.alignment
    return [Check("alignment", "note", f"Alignment {verdict.verdict}: {verdict.reason}")]


CHECKS = (
    _check_unfilled, _check_empty, _check_untouched, _check_laterality, _check_size,
    _check_undecided, _check_rejected, _check_comparison, _check_alignment,
)  # fmt: skip


def _all(sections: Sequence[Section]) -> list[Sentence]:
    return [sentence for section in sections for sentence in section.sentences]


def _text(section: Section) -> str:
    return " ".join(sentence.text for sentence in section.sentences)
