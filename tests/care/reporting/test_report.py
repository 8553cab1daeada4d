"""A report from its draft to its signature."""

import pytest
from sqlalchemy import text

from sightline.care import reporting, worklist
from sightline.care.reporting import ReportState, Written
from sightline.intelligence import routing
from sightline.record import findings
from sightline.trust import access, audit
from tests.care.reporting.conftest import STUDY


def opened(db, by):
    return reporting.open_report(db, STUDY, by=by).report


def lines(report, section="Findings"):
    return [s.text for part in report.sections if part.name == section for s in part.sentences]


def written(report, **changed):
    """What a page sends back: all sentences, some sections as given."""
    return [
        (part.name, changed.get(part.name, [Written(s.text, s.id) for s in part.sentences]))
        for part in report.sections
    ]


def edit(db, by, report=None, **changed):
    seen = report or opened(db, by)
    return reporting.edit_report(db, STUDY, seen.version, written(seen, **changed), by=by).report


def act_names(db, on):
    return [entry.act for entry in audit.trail(db, on=on) if entry.act.startswith("report.")]


def test_opening_drafts_from_what_is_accepted_by_now_and_writes_nothing(found, db, radiologist):
    before = opened(db, radiologist)
    findings.decide_finding(db, found[0].id, findings.Decision.ACCEPT, by=radiologist)
    draft = reporting.open_report(db, STUDY, by=radiologist)

    assert lines(before) == ["No finding has been accepted."]
    assert len(lines(draft.report)) == 1
    assert (draft.accepted, draft.proposed, draft.rejected) == (1, 1, 0)
    assert (draft.report.version, draft.report.state) == (0, ReportState.DRAFT)
    assert db.scalar(text("select count(*) from reports")) == 0
    assert act_names(db, draft.report.id) == []


def test_a_study_that_no_model_fits_is_not_said_to_be_under_analysis(received, db, radiologist):
    arriving = lines(opened(db, radiologist))
    routing.request_analysis(db, STUDY, by=access.SYSTEM)

    assert arriving == ["No findings have been recorded; the analysis is still under way."]
    assert lines(opened(db, radiologist)) == ["No findings were recorded."]


def test_a_persons_words_stay_and_the_rest_follows_the_findings(accepted, db, radiologist):
    seen = opened(db, radiologist)
    mine = [Written("I see a nodule.", seen.sections[2].sentences[0].id), Written("No effusion.")]
    edit(db, radiologist, seen, Findings=[*mine, Written("", seen.sections[2].sentences[1].id)])
    findings.correct_finding(db, accepted[0].id, findings.Correction(long_axis_mm=20), by=radiologist)

    report = opened(db, radiologist)

    assert lines(report) == ["I see a nodule.", "No effusion."]
    assert "(20.0 × 9.6 mm)" in lines(report, "Impression")[0]


def test_an_edit_makes_a_version_and_the_audit_holds_a_digest_and_no_words(accepted, db, radiologist):
    report = edit(db, radiologist, Impression=[Written("Growing nodule of Mrs Lovelace.")])

    [entry] = [e for e in audit.trail(db, on=report.id) if e.act == "report.edit"]
    assert report.version == 1
    assert (entry.by, entry.facts["version"], entry.facts["sha256"]) == ("p1", 1, report.digest)
    assert len(entry.facts["edited"]) == 1
    assert "Lovelace" not in str(entry.facts)


def test_sentences_that_were_taken_out_stay_out_when_the_draft_is_made_again(accepted, db, radiologist):
    seen = opened(db, radiologist)
    first, second = seen.sections[2].sentences
    edit(db, radiologist, seen, Findings=[Written(first.text, first.id)])
    findings.correct_finding(db, accepted[1].id, findings.Correction(long_axis_mm=7), by=radiologist)

    report = opened(db, radiologist)

    assert [s.id for s in report.sections[2].sentences] == [first.id]
    assert second.id in report.removed


def test_sections_that_were_not_sent_stay_as_they_are(accepted, db, radiologist):
    seen = opened(db, radiologist)
    only = [("Impression", [Written("Mine.")])]

    report = reporting.edit_report(db, STUDY, 0, only, by=radiologist).report

    assert lines(report) == lines(seen)
    assert lines(report, "Impression") == ["Mine."]


@pytest.mark.parametrize(
    "sections",
    [[("Addendum", [Written("Mine.")])], [("Findings", [Written("a")]), ("Findings", [Written("b")])]],
)
def test_words_under_a_heading_the_report_does_not_have_are_refused_not_lost(
    accepted, db, radiologist, sections
):
    seen = opened(db, radiologist)

    with pytest.raises(reporting.UnknownSection, match="Comparison, Findings, Impression, Technique"):
        reporting.edit_report(db, STUDY, 0, sections, by=radiologist)

    assert opened(db, radiologist) == seen


def test_a_sentence_sent_twice_becomes_two_and_an_unknown_one_becomes_ones_own(accepted, db, radiologist):
    seen = opened(db, radiologist)
    first = seen.sections[2].sentences[0]
    sent = [Written("One.", first.id), Written("Two.", first.id), Written("Three.", "finding-of-long-ago")]
    edit(db, radiologist, seen, Findings=sent)
    findings.correct_finding(db, accepted[0].id, findings.Correction(long_axis_mm=14), by=radiologist)

    report = opened(db, radiologist)

    assert lines(report)[:3] == ["One.", "Two.", "Three."]
    assert len({s.id for s in report.sentences}) == len(report.sentences)


def test_what_no_text_may_hold_is_taken_out_and_nothing_else(accepted, db, radiologist):
    report = edit(db, radiologist, Impression=[Written(" Größe\x00 ≥ 8 mm,\n\tMüller\x1b ")])

    assert lines(report, "Impression") == ["Größe ≥ 8 mm, Müller"]
    assert opened(db, radiologist) == report


def test_an_older_version_is_refused_and_changes_nothing(accepted, db, radiologist, colleague):
    seen = opened(db, radiologist)
    kept = edit(db, colleague, Impression=[Written("By a colleague.")])

    with pytest.raises(reporting.ReportChangedMeanwhile, match="look at it again"):
        edit(db, radiologist, seen, Impression=[Written("Mine.")])

    assert opened(db, radiologist) == kept
    assert act_names(db, kept.id) == ["report.edit"]


def test_words_that_followed_the_findings_meanwhile_are_not_edited_unseen(accepted, db, radiologist):
    seen = opened(db, radiologist)
    findings.decide_finding(db, accepted[0].id, findings.Decision.REJECT, by=radiologist)

    with pytest.raises(reporting.ReportChangedMeanwhile):
        reporting.edit_report(db, STUDY, seen.version, written(seen), by=radiologist, digest=seen.digest)

    assert opened(db, radiologist).version == 0


def test_signing_freezes_the_words_and_starts_the_objects(accepted, db, radiologist):
    seen = opened(db, radiologist)

    signed = reporting.sign_report(db, STUDY, 0, by=radiologist, digest=seen.digest).report

    assert (signed.state, signed.version, signed.signed_by_name) == (ReportState.SIGNED, 1, "Dr Ada Adams")
    assert signed.sections == seen.sections
    assert signed.objects_state == "writing"
    assert db.scalar(text("select count(*) from events where name = 'ReportSigned'")) == 1
    assert worklist.get_entry(db, STUDY).state == "reported"
    assert reporting.is_signed(db, STUDY, by=radiologist)
    assert reporting.find_signed(db, signed.patient, by=radiologist) == [opened(db, radiologist)]


def test_the_audit_of_a_signature_holds_digest_findings_and_checks(accepted, db, radiologist):
    signed = reporting.sign_report(db, STUDY, 0, by=radiologist).report

    [entry] = [e for e in audit.trail(db, on=signed.id) if e.act == "report.sign"]
    assert (entry.by, entry.facts["sha256"], entry.facts["version"]) == ("p1", signed.digest, 1)
    assert entry.facts["findings"] == sorted(f.id for f in accepted)


def test_what_was_not_seen_is_not_signed(accepted, db, radiologist):
    """A finding was rejected after the page was loaded: the version is the same, the words are not."""
    seen = opened(db, radiologist)
    findings.decide_finding(db, accepted[1].id, findings.Decision.REJECT, by=radiologist)

    with pytest.raises(reporting.ReportChangedMeanwhile):
        reporting.sign_report(db, STUDY, seen.version, by=radiologist, digest=seen.digest)

    assert not reporting.is_signed(db, STUDY, by=radiologist)
    assert act_names(db, seen.id) == []
    now = opened(db, radiologist)
    assert reporting.sign_report(db, STUDY, 0, by=radiologist, digest=now.digest).report.signed_at


def test_a_signed_report_is_neither_edited_nor_signed_again(accepted, db, radiologist, colleague):
    signed = reporting.sign_report(db, STUDY, 0, by=radiologist).report

    with pytest.raises(reporting.ReportAlreadySigned):
        edit(db, colleague, signed, Impression=[Written("Mine.")])
    with pytest.raises(reporting.ReportAlreadySigned):
        reporting.sign_report(db, STUDY, signed.version, by=colleague)

    assert opened(db, radiologist) == signed
    assert act_names(db, signed.id) == ["report.sign"]


def test_a_signed_report_does_not_follow_the_findings_any_more(accepted, clinic, db, radiologist):
    signed = reporting.sign_report(db, STUDY, 0, by=radiologist).report
    clinic.compare(STUDY, "1.1", verdict="failed")

    assert opened(db, radiologist) == signed


def test_an_error_that_a_check_found_keeps_the_report_open(accepted, db, radiologist):
    report = edit(db, radiologist, Impression=[Written("Nodule of [ ] mm.")])

    with pytest.raises(reporting.ReportNotReady, match=r"not filled in\. Correct it, then sign"):
        reporting.sign_report(db, STUDY, report.version, by=radiologist)

    assert opened(db, radiologist).state is ReportState.DRAFT
    assert act_names(db, report.id) == ["report.edit"]
    assert worklist.get_entry(db, STUDY).state == "unread"


def test_the_wrong_side_keeps_the_report_open(accepted, db, radiologist):
    seen = opened(db, radiologist)
    first = seen.sections[2].sentences[0]
    report = edit(db, radiologist, seen, Findings=[Written("Nodule in the left lung.", first.id)])

    with pytest.raises(reporting.ReportNotReady, match="says left; its finding lies right"):
        reporting.sign_report(db, STUDY, report.version, by=radiologist)


def test_edited_words_on_a_finding_that_was_taken_back_keep_the_report_open(accepted, db, radiologist):
    seen = opened(db, radiologist)
    first, second = seen.sections[2].sentences
    edit(db, radiologist, seen, Findings=[Written("A nodule.", first.id), Written(second.text, second.id)])
    findings.decide_finding(db, accepted[0].id, findings.Decision.UNDO, by=radiologist)

    assert "A nodule." in lines(opened(db, radiologist))
    with pytest.raises(reporting.ReportNotReady, match="nobody has accepted"):
        reporting.sign_report(db, STUDY, 1, by=radiologist)


def test_a_warning_does_not_keep_from_signing(found, db, radiologist):
    draft = reporting.open_report(db, STUDY, by=radiologist)

    assert [c.id for c in draft.checks] == ["untouched", "undecided"]
    assert reporting.sign_report(db, STUDY, 0, by=radiologist).report.signed_at


@pytest.mark.parametrize(
    ("role", "act"),
    [
        ("technologist", "open"), ("technologist", "edit"), ("technologist", "sign"),
        ("referrer", "edit"), ("referrer", "sign"), ("administrator", "open"), ("service", "sign"),
    ],
)  # fmt: skip
def test_who_may_not_is_refused_and_leaves_no_trace(accepted, db, radiologist, role, act):
    stranger = access.Person("s", "S", "s", frozenset({role}), "main")
    seen = opened(db, radiologist)
    acts = {
        "open": lambda: reporting.open_report(db, STUDY, by=stranger),
        "edit": lambda: reporting.edit_report(db, STUDY, 0, written(seen), by=stranger),
        "sign": lambda: reporting.sign_report(db, STUDY, 0, by=stranger),
    }

    with pytest.raises(access.NotAllowed):
        acts[act]()

    assert opened(db, radiologist) == seen
    assert act_names(db, seen.id) == []


def test_a_report_that_is_not_there_is_not_held(accepted, db, radiologist):
    with pytest.raises(reporting.ReportNotHeld):
        reporting.find_report(db, "0" * 32, by=radiologist)
    with pytest.raises(reporting.ReportNotHeld):
        reporting.record_objects(db, STUDY, (), "stored", by=access.SYSTEM)


def test_two_who_sign_at_once_get_one_signature(accepted, database, db, radiologist, colleague):
    """Both have the same version before them; whoever is second is told."""
    from concurrent.futures import ThreadPoolExecutor

    db.commit()

    def sign(person):
        try:
            with database.transaction() as own:
                return reporting.sign_report(own, STUDY, 0, by=person).report.signed_by
        except reporting.ReportAlreadySigned:
            return None

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(sign, (radiologist, colleague)))

    assert outcomes.count(None) == 1
    assert opened(db, radiologist).signed_by in outcomes


def test_a_decision_and_a_signature_at_once_do_not_slip_past_each_other(accepted, database, db, radiologist):
    from concurrent.futures import ThreadPoolExecutor

    from sightline.care import reading

    db.commit()

    def sign():
        with database.transaction() as own:
            return reporting.sign_report(own, STUDY, 0, by=radiologist).report

    def reject():
        try:
            with database.transaction() as own:
                reading.decide(own, accepted[0].id, findings.Decision.REJECT, by=radiologist)
            return True
        except reporting.ReportAlreadySigned:
            return False

    with ThreadPoolExecutor(2) as pool:
        signing, rejecting = pool.submit(sign), pool.submit(reject)
        signed, rejected = signing.result(), rejecting.result()

    assert len(lines(signed)) == (1 if rejected else 2)
