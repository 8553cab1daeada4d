"""Priors come from another archive: asked for, chosen, fetched, and given to the right patient."""

from sightline.record import archive
from tests.wire.priors.conftest import OPERATOR

NOW, LAST, OLD, KNEE, HEAD = "1.2.10", "1.2.11", "1.2.12", "1.2.13", "1.2.14"


def states(known):
    return {one.find.prior_uid: one.find.state for one in known.finds}


def test_the_best_come_and_what_does_not_bear_on_the_study_stays(room, elsewhere, take, make_study):
    take(*make_study(NOW, "20240601", "CT chest"))
    elsewhere(
        *make_study(LAST, "20240101", "CT chest"),
        *make_study(OLD, "20230101", "CT chest and abdomen"),
        *make_study(KNEE, "20240301", "MR knee left", Modality="MR"),
    )

    asked = room.ask(NOW)

    assert states(asked) == {LAST: "coming", OLD: "coming", KNEE: "left"}
    assert "2 of 2 coming from" in asked.text
    assert {one.find.reason for one in asked.finds if one.find.state == "left"} == {
        "it does not bear on this study"
    }
    room.fetch()
    assert states(room.known(NOW)) == {LAST: "held", OLD: "held", KNEE: "left"}
    assert room.held() == {NOW, LAST, OLD}
    assert room.known(NOW).text == ""


def test_what_is_held_is_not_fetched_again(room, elsewhere, take, make_study, store):
    take(*make_study(NOW, "20240601", "CT chest"), *make_study(LAST, "20240101", "CT chest"))
    elsewhere(*make_study(NOW, "20240601", "CT chest"), *make_study(LAST, "20240101", "CT chest"))

    asked = room.ask(NOW)

    assert states(asked) == {LAST: "held"}
    assert all(not one.find.transfer for one in asked.finds)


def test_another_patient_of_the_same_id_waits_for_a_person_who_takes_the_study(
    room, elsewhere, take, make_study, store
):
    take(*make_study(NOW, "20240601", "CT chest", IssuerOfPatientID="NORTH"))
    elsewhere(*make_study(LAST, "20240101", "CT chest", IssuerOfPatientID="NORTH", PatientName="Maier^Jörg"))

    asked = room.ask(NOW)

    assert states(asked) == {LAST: "doubtful"}
    assert asked.finds[0].find.reason == "the name differs"
    assert asked.text == "1 needs a person"
    room.fetch()
    assert room.held() == {NOW}

    from sightline.wire import priors

    with store.database.transaction() as db:
        priors.take_prior(db, NOW, LAST, by=OPERATOR)
    room.fetch()
    assert states(room.known(NOW)) == {LAST: "held"}
    with store.database.reading() as db:
        now, last = archive.get_study(db, NOW), archive.get_study(db, LAST)
    assert now.patient == last.patient


def test_a_study_that_comes_under_another_issuer_is_moved_by_the_person_who_took_it_and_nothing_is_merged(
    room, elsewhere, take, make_study, store
):
    take(*make_study(NOW, "20240601", "CT chest", IssuerOfPatientID="NORTH"))
    elsewhere(
        *make_study(LAST, "20240101", "CT chest", IssuerOfPatientID="SOUTH", PatientName="Maier^Jörg"),
        *make_study(OLD, "20230101", "CT chest", IssuerOfPatientID="SOUTH", PatientName="Maier^Jörg"),
    )
    room.ask(NOW)

    from sightline.wire import priors

    with store.database.transaction() as db:
        priors.take_prior(db, NOW, LAST, by=OPERATOR)
    room.fetch()

    assert states(room.known(NOW)) == {LAST: "held", OLD: "doubtful"}
    with store.database.reading() as db:
        now, last = archive.get_study(db, NOW), archive.get_study(db, LAST)
        (correction,) = archive.corrections_of(db, LAST)
    assert last.patient == now.patient
    assert correction.kind == "move"
    assert correction.reason.startswith("taken as a prior from ")
    with store.database.transaction() as db:
        archive.undo(db, correction.id, by=OPERATOR)
        assert archive.get_study(db, LAST).patient != now.patient
