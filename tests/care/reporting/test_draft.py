"""What a draft says, and what becomes of a person's words when the findings change: pure rules."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from sightline.care.reporting import Basis, Report, ReportState, Section, Sentence
from sightline.care.reporting._model import Facts, check_report, compose_draft, merge_draft
from sightline.kernel.quantities import Quantity
from sightline.record import findings, timeline

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def finding(number: int = 1, state: str = "accepted", mm: float = 10.0, **facts: Any) -> findings.Finding:
    values = {
        "long_axis": Quantity(mm, "mm", "x"),
        "short_axis": Quantity(0.8 * mm, "mm", "x"),
        "volume": Quantity(0.4 * mm**3, "mm3", "x", 0.36 * mm**3, 0.44 * mm**3),
    }
    base: dict[str, Any] = {
        "id": f"f{number}", "number": number, "study_uid": "1.2", "patient": "p", "kind": "lung-nodule",
        "label": "right lung, upper third, nodule", "state": findings.State(state), "lesion": "2.25.1",
        "source": findings.Source(findings.SourceKind.MODEL, "m", "1", "r"), "series_uid": "1.2.1",
        "sop_uid": "1.2.1.1", "frame_of_reference_uid": "1.9", "centre_lps_mm": (0.0, 0.0, 0.0),
        "values": values, "proposed": values, "why": "round", "laterality": "R", "score": 0.9,
        "mask_key": None, "note": None, "created_at": NOON, "decided_by": "p1",
        "decided_by_name": "Dr Ada Adams", "decided_at": NOON,
    }  # fmt: skip
    return findings.Finding(**{**base, **facts})


def lesion(current: str | None, kind: str, **facts: Any) -> timeline.Change:
    measured = kind in ("grown", "shrunk", "stable")
    base: dict[str, Any] = {
        "prior": "p1", "percent": 50.0 if measured else None, "low": 30.0 if measured else None,
        "high": 75.0 if measured else None, "doubling_days": 311.0 if kind == "grown" else None,
        "doubling_low": None, "doubling_high": None, "text": f"nodule {kind}", "reason": f"because {kind}",
    }  # fmt: skip
    return timeline.Change(current=current, kind=kind, **{**base, **facts})


def comparison(*changes: timeline.Change, verdict: str = "good") -> timeline.Comparison:
    alignment = timeline.AlignmentSummary(verdict, "as tested", (), "m", "k", None)
    return timeline.Comparison(
        "c", "1.2", "1.1", "p", "1.2.1", "1.1.1", "same region", 180, alignment, changes, NOON
    )


def facts(*held: findings.Finding, **other: Any) -> Facts:
    base: dict[str, Any] = {
        "study_uid": "1.2", "exam": "CT chest", "images": 120, "slice_mm": None, "findings": held,
        "comparison": None, "priors": 0, "prior_exam": "", "prior_date": "",
        "analysis_text": "1 finding proposed", "analysis_ended": True,
    }  # fmt: skip
    if other.get("comparison"):
        base |= {"prior_exam": "CT thorax", "prior_date": "20260503", "priors": 1}
    return Facts(**{**base, **other})


def words(sections: tuple[Section, ...]) -> dict[str, list[str]]:
    return {section.name: [sentence.text for sentence in section.sentences] for section in sections}


def report(*sections: Section, **other: Any) -> Report:
    return Report("r", "1.2", "p", ReportState.DRAFT, 1, sections, **other)


# What is drafted ------------------------------------------------------------------------------------


def test_only_what_a_person_stands_behind_is_drafted():
    held = [finding(n, state) for n, state in enumerate(("proposed", "accepted", "rejected", "edited"), 1)]

    said = compose_draft(facts(*held))[2]

    assert [sentence.sources[0].id for sentence in said.sentences] == ["f2", "f4"]


def test_each_drafted_sentence_says_what_it_rests_on():
    drafted = compose_draft(facts(finding(), comparison=comparison(lesion("f1", "grown"))))

    sentences = [sentence for section in drafted for sentence in section.sentences]
    assert all(sentence.sources and not sentence.edited for sentence in sentences)
    assert sentences[2].sources == (
        Basis("finding", "f1", "accepted by Dr Ada Adams; round"),
        Basis("comparison", "f1", "because grown"),
    )


@pytest.mark.parametrize(
    ("images", "frames", "said"),
    [
        (0, 0, "US Echo."),
        (1, 1, "US Echo, 1 image."),
        (1, 40, "US Echo, 40 frames."),
        (2, 40, "US Echo, 2 images."),
    ],
)
def test_the_technique_counts_images_or_the_frames_of_the_only_one(images, frames, said):
    drafted = words(compose_draft(facts(exam="US Echo", images=images, frames=frames)))

    assert drafted["Technique"] == [said]


def test_a_growing_nodule_is_described_and_stands_in_the_impression():
    said = words(compose_draft(facts(finding(), comparison=comparison(lesion("f1", "grown")))))

    assert said == {
        "Technique": ["CT chest, 120 images."],
        "Comparison": ["CT thorax of 3 May 2026."],
        "Findings": [
            "Right lung, upper third, nodule: 10.0 × 8.0 mm, volume 400 mm³ (95 % interval 360 to 440); "
            "grown since 3 May 2026 (volume +50 %, 95 % interval +30 to +75 %)."
        ],
        "Impression": [
            "Growing right lung, upper third, nodule (10.0 × 8.0 mm), volume doubling time 311 days."
        ],
    }


@pytest.mark.parametrize(
    ("change", "findings_end", "impression"),
    [
        (lesion("f1", "new", prior=None), "; new since 3 May 2026.", "New right lung"),
        (lesion("f1", "shrunk", percent=-40.0), "smaller since 3 May 2026 (volume -40 %", "Smaller right"),
        (lesion("f1", "stable"), "stable since 3 May 2026 (volume +50 %", "1 finding unchanged."),
        (lesion("f1", "cannot-tell"), "to 440).", "1 finding without measurable change."),
    ],
)
def test_each_kind_of_change_has_its_words(change, findings_end, impression):
    said = words(compose_draft(facts(finding(), comparison=comparison(change))))

    assert findings_end in said["Findings"][0]
    assert said["Impression"][0].startswith(impression)


@pytest.mark.parametrize(
    ("other", "compared", "impression"),
    [
        ({}, "None available.", "1 finding; no earlier study to compare with."),
        (
            {"priors": 2},
            "Not compared with earlier studies.",
            "1 finding; not compared with earlier studies.",
        ),
        (
            {"comparison": comparison(verdict="failed")},
            "CT thorax of 3 May 2026; the images could not be aligned, so change was not measured.",
            "1 finding without measurable change.",
        ),
    ],
)
def test_the_draft_never_says_there_is_no_prior_where_one_was_not_compared(other, compared, impression):
    said = words(compose_draft(facts(finding(), **other)))

    assert said["Comparison"] == [compared]
    assert said["Impression"] == [impression]


@pytest.mark.parametrize(
    ("held", "ended", "found", "impression"),
    [
        ([], True, "No findings were recorded.", "No findings were recorded."),
        ([finding(state="rejected")], True, "No findings were recorded.", "No findings were recorded."),
        ([finding(state="proposed")], True, "No finding has been accepted.", "No finding has been accepted."),
        (
            [],
            False,
            "No findings have been recorded; the analysis is still under way.",
            "No finding has been accepted.",
        ),
    ],
)
def test_that_nothing_was_recorded_is_said_only_when_everything_is_decided(held, ended, found, impression):
    said = words(compose_draft(facts(*held, analysis_ended=ended)))

    assert (said["Findings"], said["Impression"]) == ([found], [impression])


def test_a_finding_without_measurements_is_still_said():
    [said] = words(compose_draft(facts(finding(values={}))))["Findings"]

    assert said == "Right lung, upper third, nodule: size not measured."


# What becomes of a person's words -------------------------------------------------------------------


def drafted(*sentences: str) -> tuple[Section, ...]:
    """A draft of one section, each sentence under the id of its first word."""
    return (Section("Findings", tuple(Sentence(t.split()[0], t, t, ()) for t in sentences)),)


def edited(id_: str, text: str, was: str | None = "was") -> Sentence:
    return Sentence(id_, text, was, ())


def test_a_sentence_nobody_touched_follows_the_draft():
    held = report(*drafted("a 10 mm", "b 5 mm"))

    assert words(merge_draft(drafted("a 12 mm", "c 7 mm"), held)) == {"Findings": ["a 12 mm", "c 7 mm"]}


def test_an_edited_sentence_stays_word_for_word_with_the_present_sources():
    basis = Basis("finding", "f1", "edited by Dr Ada Adams")
    fresh = (Section("Findings", (Sentence("a", "a 12 mm", "a 12 mm", (basis,)),)),)
    held = report(Section("Findings", (edited("a", "My own words."),)))

    [kept] = merge_draft(fresh, held)[0].sentences

    assert (kept.text, kept.sources) == ("My own words.", (basis,))


def test_an_edited_sentence_outlives_the_draft_it_came_from():
    held = report(Section("Findings", (edited("a", "My own words."),)))

    assert words(merge_draft(drafted("b 5 mm"), held)) == {"Findings": ["My own words.", "b 5 mm"]}


def test_a_sentence_of_ones_own_stays_where_it_was_put():
    held = report(Section("Findings", (drafted("a 1")[0].sentences[0], edited("own-1", "Mine.", None))))

    assert words(merge_draft(drafted("a 2", "b 3"), held)) == {"Findings": ["a 2", "Mine.", "b 3"]}


def test_what_a_person_took_out_does_not_come_back():
    held = report(Section("Findings", ()), removed=frozenset({"a"}))

    assert words(merge_draft(drafted("a 12 mm", "b 5 mm"), held)) == {"Findings": ["b 5 mm"]}


def test_a_sentence_moved_to_another_section_is_neither_lost_nor_doubled():
    moved, untouched = edited("a", "My words."), Sentence("b", "b 5 mm", "b 5 mm", ())
    held = report(Section("Findings", ()), Section("Impression", (moved, untouched)))
    fresh = (*drafted("a 12 mm", "b 6 mm"), Section("Impression", ()))

    assert words(merge_draft(fresh, held)) == {"Findings": [], "Impression": ["My words.", "b 6 mm"]}


def test_merging_twice_is_merging_once():
    held = report(Section("Findings", (edited("a", "Mine."), edited("own-1", "Too.", None))))
    once = merge_draft(drafted("a 1", "b 2"), held)

    assert merge_draft(drafted("a 1", "b 2"), replace(held, sections=once)) == once


# What the checks find -------------------------------------------------------------------------------


def said(text: str, *ids: str, section: str = "Findings", was: str | None = "was") -> tuple[Section, ...]:
    sources = tuple(Basis("finding", id_, "") for id_ in ids)
    others = [Section(n, (Sentence(n, "Fine.", "Fine.", ()),)) for n in ("Findings", "Impression")]
    return (Section(section, (Sentence("s", text, was, sources),)), *(o for o in others if o.name != section))


def found(sections: tuple[Section, ...], known: Facts) -> list[tuple[str, str]]:
    return [(check.id, check.severity) for check in check_report(sections, known)[0]]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("Nodule in the left lung.", True),
        ("LEFT-sided nodule.", True),
        ("Nodule in the right lung.", False),
        ("Right nodule, none on the left.", False),
        ("A nodule is left unchanged, on the right.", False),
        ("A cleft nodule.", False),
        ("A nodule.", False),
    ],
)
def test_a_sentence_on_the_wrong_side_is_an_error(text, wrong):
    assert (("laterality", "error") in found(said(text, "f1"), facts(finding()))) is wrong


def test_the_side_is_not_judged_where_findings_lie_on_both_or_on_none():
    both = facts(finding(1), finding(2, laterality="L"))
    none = facts(finding(1, laterality=None))

    assert found(said("In the left lung.", "f1", "f2"), both) == []
    assert found(said("In the left lung.", "f1"), none) == []


def test_the_side_of_a_corrected_label_is_held_against_where_the_finding_lies():
    held = facts(finding(label="left lung, nodule"))

    assert ("laterality", "error") in found(compose_draft(held), held)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("A nodule of 10 mm.", False),
        ("A nodule of 1.1 cm.", False),
        ("A nodule of 100 mm.", True),
        ("A nodule of 100 × 8 mm.", True),
        ("A nodule of 10 x 8 mm.", False),
        ("A nodule of 10 cm.", True),
        ("A nodule of 400 mm³.", False),
        ("A nodule.", False),
    ],
)
def test_a_size_that_a_slip_of_the_unit_would_explain_is_warned_of(text, wrong):
    assert (("size", "warning") in found(said(text, "f1"), facts(finding()))) is wrong


@pytest.mark.parametrize("text", ["Nodule of [ ] mm.", "Nodule ***", "Side: ____", "Size ???"])
def test_a_field_that_is_not_filled_in_is_an_error(text):
    assert ("unfilled", "error") in found(said(text), facts())


@pytest.mark.parametrize("name", ["Findings", "Impression"])
def test_an_empty_section_is_an_error(name):
    sections = (Section(name, ()), *said("Fine."))

    assert ("empty", "error") in found(sections, facts())


@pytest.mark.parametrize(
    ("held", "message"),
    [
        (finding(state="rejected"), "rests on a finding that was rejected."),
        (finding(state="proposed"), "rests on a finding that nobody has accepted."),
        (finding(9), "rests on a finding that a newer analysis replaced."),
    ],
)
def test_a_sentence_on_a_finding_nobody_stands_behind_is_an_error(held, message):
    [check] = [c for c in check_report(said("A nodule.", "f1"), facts(held))[0] if c.id == "rejected"]

    assert (check.severity, check.sentence_id) == ("error", "s")
    assert check.message.endswith(message)


def test_undecided_findings_an_unnamed_prior_and_a_doubtful_alignment_are_told():
    known = facts(finding(state="proposed"), comparison=comparison(verdict="care"))

    assert found(said("Fine."), known) == [
        ("undecided", "warning"),
        ("comparison", "warning"),
        ("alignment", "note"),
    ]


def test_a_draft_passes_all_its_own_checks():
    known = facts(finding(), finding(2, mm=6.0), comparison=comparison(lesion("f1", "grown")))

    assert check_report(compose_draft(known), known) == ((), 9)


def test_a_report_that_nobody_touched_says_so_before_it_is_signed():
    unread = facts()

    [check], _ = check_report(compose_draft(unread), unread)

    assert (check.id, check.severity) == ("untouched", "warning")
