"""The standard objects that a signed report becomes: the same however often the job runs."""

import pytest

from sightline.care import reporting
from sightline.care.reporting import _service as service
from sightline.care.reporting import jobs as writing
from sightline.record import archive, findings
from sightline.trust import access, audit
from tests.care.reporting.conftest import STUDY


@pytest.fixture
def signed(accepted, db, radiologist):
    """The report, signed and committed."""
    report = reporting.sign_report(db, STUDY, 0, by=radiologist).report
    db.commit()
    return report


def held_report(store):
    with store.database.reading() as db:
        return reporting.open_report(db, STUDY, by=access.operator("t")).report


def test_a_signed_report_becomes_sr_pdf_and_segmentation(signed, store):
    writing._write_or_tell(store, STUDY)

    report = held_report(store)
    assert report.objects_state == "stored"
    assert sorted(item.kind for item in report.objects) == ["PDF", "SEG", "SR"]
    with store.database.reading() as db:
        datasets = {item.kind: archive.read_dataset(store, db, item.uid) for item in report.objects}
        entry = audit.trail(db, on=report.id)[0]
    assert {ds.StudyInstanceUID for ds in datasets.values()} == {STUDY}
    assert datasets["SR"].VerificationFlag == "VERIFIED"
    assert len(datasets["SEG"].SegmentSequence) == 2
    assert bytes(datasets["PDF"].EncapsulatedDocument).startswith(b"%PDF")
    assert (entry.act, entry.by, len(entry.facts["objects"])) == ("report.store", "system", 3)


def test_the_lesions_of_the_report_carry_their_tracking_uids(signed, accepted, store):
    writing._write_or_tell(store, STUDY)

    with store.database.reading() as db:
        sr = next(item for item in held_report(store).objects if item.kind == "SR")
        text = str(archive.read_dataset(store, db, sr.uid))
    assert all(f.lesion in text for f in accepted)


def test_a_job_that_is_repeated_after_a_crash_stores_the_same_objects_once(signed, store):
    writing._write_or_tell(store, STUDY)
    first = held_report(store)

    writing._write_or_tell(store, STUDY)

    assert held_report(store) == first
    with store.database.reading() as db:
        assert archive.find_conflicts(db, STUDY) == []
        assert len(archive.series_of_study(db, STUDY)) == 4


def test_the_words_of_the_report_do_not_change_by_being_written(signed, store):
    writing._write_or_tell(store, STUDY)

    assert held_report(store).digest == signed.digest


def test_without_any_finding_there_is_a_report_and_no_segmentation(received, store, db, radiologist):
    reporting.sign_report(db, STUDY, 0, by=radiologist)
    db.commit()

    writing._write_or_tell(store, STUDY)

    report = held_report(store)
    assert (report.objects_state, sorted(o.kind for o in report.objects)) == ("stored", ["PDF", "SR"])


def test_a_lesion_in_another_series_is_reported_and_does_not_break_the_segmentation(
    accepted, receive, clinic, store, db, radiologist
):
    from dataclasses import replace

    db.commit()
    receive(STUDY, series="1.2.7", SeriesDescription="bone")
    found = clinic.nodule(STUDY, 3, 5.0, "mark", "L", mask=True)
    elsewhere = replace(found, series_uid="1.2.7", sop_uid="1.2.7.2")
    findings.mark_finding(db, STUDY, clinic.patient_of(STUDY), elsewhere, by=radiologist)
    reporting.sign_report(db, STUDY, 0, by=radiologist)
    db.commit()

    writing._write_or_tell(store, STUDY)

    report = held_report(store)
    with store.database.reading() as db:
        seg = next(item for item in report.objects if item.kind == "SEG")
        assert len(archive.read_dataset(store, db, seg.uid).SegmentSequence) == 2


def test_objects_that_could_not_be_written_say_so_beside_the_report(signed, store, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("no fonts")

    monkeypatch.setattr(writing.documents, "render_report_pdf", broken)
    with pytest.raises(RuntimeError):
        writing._write_or_tell(store, STUDY)

    report = held_report(store)
    assert (report.objects_state, report.objects) == ("failed", ())
    assert report.digest == signed.digest


def test_an_object_that_the_archive_keeps_aside_is_not_called_stored(signed, store, monkeypatch):
    writing._write_or_tell(store, STUDY)
    original = writing.documents.build_measurement_report

    def other_bytes(*args, **options):
        sr = original(*args, **options)
        sr.ContentDate = "20200101"
        return sr

    monkeypatch.setattr(writing.documents, "build_measurement_report", other_bytes)
    with pytest.raises(archive.ObjectInConflict):
        writing._write_or_tell(store, STUDY)

    assert held_report(store).objects_state == "failed"


def test_an_unsigned_report_becomes_nothing(accepted, store, db, radiologist):
    seen = reporting.open_report(db, STUDY, by=radiologist).report
    lines = [(s.name, [reporting.Written(x.text, x.id) for x in s.sentences]) for s in seen.sections]
    reporting.edit_report(db, STUDY, 0, lines, by=radiologist)
    db.commit()

    with pytest.raises(reporting.ReportNotHeld, match="not signed yet"):
        writing._write(store, STUDY)

    with store.database.reading() as db:
        assert len(archive.series_of_study(db, STUDY)) == 1


def test_a_person_may_not_note_objects_without_leave_to_write(signed, store, technologist):
    with pytest.raises(access.NotAllowed), store.database.transaction() as db:
        service.record_objects(db, STUDY, (), "stored", by=technologist)

    assert held_report(store).objects_state == "writing"


def test_the_page_is_the_words_that_were_signed(signed, store):
    with store.database.reading() as db:
        page = reporting.render_page(db, signed)

    assert "Dr Ada Adams" in page
    assert all(s.text.split(";")[0] in page for s in signed.sections[2].sentences)
