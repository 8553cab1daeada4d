"""When sources are asked, at which pace, how many are fetched, and what is said when one is silent."""

from datetime import timedelta

import pytest

from sightline.kernel import clock
from sightline.record import archive, orders
from sightline.trust import access, audit
from sightline.wire import peers, priors, transfers
from sightline.wire.priors import _asking as asking
from tests.orthanc import PASSWORD, USER
from tests.wire.priors.conftest import OPERATOR

NOW = "1.2.10"
SUBJECT = orders.Subject("4711", "Müller^Jörg", "", "19600102", "M")


@pytest.fixture
def silent(store):
    """A source that nobody answers for."""
    with store.database.transaction() as db:
        peer = peers.Peer("SILENT", "127.0.0.1", 9, acse_timeout_s=1, priors=True)
        return peers.put_peer(db, peer, by=OPERATOR).title


@pytest.fixture
def web(store, orthanc):
    with store.database.transaction() as db:
        server = transfers.Server("WEB", orthanc.web, "basic", f"{USER}:{PASSWORD}", priors=True)
        transfers.put_server(db, server, by=OPERATOR)
    return orthanc


def test_a_silent_source_is_asked_again_and_then_said_not_to_have_answered(room, silent, take, make_study):
    take(*make_study(NOW, "20240601", "CT chest"))

    first = room.ask(NOW)

    assert (first.searches[0].state, first.searches[0].attempts) == ("waiting", 1)
    assert first.text == "SILENT has not answered"
    room.ask(NOW, "opening", attempt=1)
    (search,) = room.known(NOW).searches
    assert (search.state, search.attempts) == ("failed", 2)
    assert "cannot be reached" in search.error


def test_a_source_that_answered_lately_is_not_asked_again_unless_a_person_wants(
    room, web, take, make_study, store
):
    take(*make_study(NOW, "20240601", "CT chest"))
    room.ask(NOW, "opening")
    web.put(*make_study("1.2.11", "20240101", "CT chest"))

    assert room.ask(NOW, "opening").finds == ()
    assert len(room.ask(NOW, "person").finds) == 1


def test_only_the_best_so_many_are_fetched(room, web, take, make_study):
    room.settings = room.settings.model_copy(update={"most": 2})
    take(*make_study(NOW, "20240601", "CT chest"))
    for year in range(2018, 2024):
        web.put(*make_study(f"1.2.{year}", f"{year}0101", "CT chest"))

    known = room.ask(NOW)

    coming = {one.find.prior_uid for one in known.finds if one.find.state == "coming"}
    assert coming == {"1.2.2023", "1.2.2022"}
    assert {one.find.reason for one in known.finds} == {"", "not among the best"}
    again = room.ask(NOW)
    assert {one.find.prior_uid for one in again.finds if one.find.state == "coming"} == coming


def test_what_comes_under_another_patient_record_waits_there_for_a_person(
    room, web, take, make_study, store, monkeypatch
):
    # A source that does not tell the issuer, while name and date of birth agree.
    monkeypatch.setattr(asking, "_FIELDS", tuple(f for f in asking._FIELDS if f != "00100021"))
    take(*make_study(NOW, "20240601", "CT chest", IssuerOfPatientID="NORTH"))
    web.put(*make_study("1.2.11", "20240101", "CT chest", IssuerOfPatientID="SOUTH"))

    room.ask(NOW)
    room.fetch()

    (one,) = room.known(NOW).finds
    assert one.find.state == "doubtful"
    assert one.find.reason == "it is held here under another patient: the issuer of the patient ID differs"
    with store.database.transaction() as db:
        priors.take_prior(db, NOW, "1.2.11", by=OPERATOR)
        assert archive.get_study(db, "1.2.11").patient == archive.get_study(db, NOW).patient
    assert room.known(NOW).finds[0].find.state == "held"


def test_priors_that_came_for_an_order_are_looked_at_again_when_the_study_is_there(
    room, web, take, make_study, store
):
    web.put(*make_study("1.2.11", "20240101", "CT chest", IssuerOfPatientID="NORTH"))
    with store.database.transaction() as db:
        step = orders.Step("", "CT", "CT1", "20260601", "0900")
        wanted = orders.Wanted(SUBJECT, orders.Procedure("", "CT chest"), [step], study_uid=NOW)
        orders.enter_order(db, wanted, by=OPERATOR)
    room.ask(NOW)
    room.fetch()
    assert [one.find.state for one in room.known(NOW).finds] == ["held"]

    take(*make_study(NOW, "20260601", "CT chest"))  # it comes without an issuer, so as another patient
    with store.database.transaction() as db:
        priors.came(db, NOW)

    (one,) = room.known(NOW).finds
    assert (one.find.state, one.find.reason) == ("doubtful", "it is held here under another patient")


def test_a_study_of_the_past_that_somebody_brings_has_nobody_asked(room, take, make_study, store):
    today = clock.now().strftime("%Y%m%d")
    take(*make_study("1.3.1", today, "CT chest"), *make_study("1.3.2", "20240131", "CT chest"))

    with store.database.reading() as db:
        recent = [priors.is_recent(db, uid, room.settings) for uid in ("1.3.1", "1.3.2", "9.9")]
    assert recent == [True, False, False]


def test_a_prior_that_did_not_come_is_said_to_be_lost_and_can_be_fetched_again(
    room, web, take, make_study, store
):
    take(*make_study(NOW, "20240601", "CT chest"))
    web.put(*make_study("1.2.11", "20240101", "CT chest"))
    (one,) = room.ask(NOW).finds
    with store.database.transaction() as db:
        transfers.cancel(db, one.find.transfer, by=OPERATOR)
    assert room.known(NOW).text == "1 did not come from WEB"

    with store.database.transaction() as db:
        again = priors.take_prior(db, NOW, "1.2.11", by=OPERATOR)

    assert again.text == "1 of 1 coming from WEB"
    room.fetch()
    assert room.known(NOW).finds[0].find.state == "held"


def test_sources_keep_their_pace_when_nobody_waits(room, silent, take, make_study, store):
    for n in range(3):
        take(*make_study(f"1.3.{n}", "20240601", "CT chest"))
    settings = priors.PriorSettings(per_minute=6)
    with store.database.transaction() as db:
        known = [
            priors.request_search(db, f"1.3.{n}", "arrival", settings, by=access.SYSTEM) for n in range(3)
        ]

    first, second, third = (one.searches[0].due_at for one in known)
    assert second - first == third - second == timedelta(seconds=10)


def test_without_an_id_or_with_one_that_stands_for_others_nobody_is_asked(room, silent, take, make_study):
    take(*make_study(NOW, "20240601", "CT chest", PatientID="47*"))
    take(*make_study("1.2.9", "20240601", "CT chest", PatientID=""))

    assert room.ask(NOW).searches == ()
    assert room.ask("1.2.9").searches == ()


def test_an_order_brings_the_priors_before_the_study_arrives(
    store, web, make_study, tmp_path, settings, make_slice
):
    import sightline.app.registry  # noqa: F401
    from sightline.runtime import jobs

    web.put(*make_study("1.2.11", "20240101", "CT chest"))
    web.put(*make_study("1.2.12", "20240201", "MR knee left", Modality="MR"))
    transfer_settings = transfers.TransferSettings(attempts=2, retry_s=0.1)
    dispatcher = transfers.Dispatcher(store, transfer_settings)
    worker = jobs.Worker(
        store.database, lock=tmp_path / "worker.lock", store=store, prior_settings=settings,
        transfer_settings=transfer_settings, upkeep_settings=_upkeep(),
    )  # fmt: skip
    worker.start()
    dispatcher.start()
    try:
        with store.database.transaction() as db:
            step = orders.Step("", "CT", "CT1", "20260601", "0900")
            wanted = orders.Wanted(SUBJECT, orders.Procedure("", "CT chest with contrast"), [step])
            study = orders.enter_order(db, wanted, by=OPERATOR).study_uid
        known = _wait_for(store, study, lambda known: any(one.find.state == "held" for one in known.finds))
    finally:
        dispatcher.stop()
        worker.stop()

    assert {one.find.prior_uid: one.find.state for one in known.finds} == {
        "1.2.11": "held", "1.2.12": "left",
    }  # fmt: skip
    assert known.searches[0].trigger == "order"


def _upkeep():
    from sightline.record.upkeep.settings import UpkeepSettings

    return UpkeepSettings()


def _wait_for(store, study, done):
    import time

    for _ in range(200):
        with store.database.reading() as db:
            known = priors.elsewhere_of(db, study, by=OPERATOR)
        if done(known):
            return known
        time.sleep(0.1)
    return known


def test_a_person_who_may_not_correct_takes_nothing(room, web, take, make_study, store):
    take(*make_study(NOW, "20240601", "CT chest"))
    web.put(*make_study("1.2.11", "20240101", "CT chest", PatientName="Maier^Eva"))
    room.ask(NOW)
    referrer = access.Person("r", "R", "r", frozenset({"referrer"}), "*")

    with store.database.transaction() as db, pytest.raises(access.NotAllowed):
        priors.take_prior(db, NOW, "1.2.11", by=referrer)

    assert [one.find.state for one in room.known(NOW).finds] == ["doubtful"]
    with store.database.transaction() as db:
        priors.dismiss_prior(db, NOW, "1.2.11", by=OPERATOR)
        with pytest.raises(priors.PriorNotFound):
            priors.take_prior(db, NOW, "9.9", by=OPERATOR)
    assert [one.find.state for one in room.ask(NOW).finds] == ["dismissed"]
    with store.database.reading() as db:
        acts = [entry.act for entry in audit.trail(db, on=NOW)]
    assert {"priors.search", "priors.dismiss"} <= set(acts)
    assert "priors.take" not in acts


OURS = priors.Who("4711", "NORTH", "Müller^Jörg^Otto", "19600102", "M")


@pytest.mark.parametrize(
    ("theirs", "reason"),
    [
        (priors.Who("4711", "NORTH", "MULLER^JORG", "19600102", "M"), ""),
        (priors.Who("4711", "NORTH"), ""),
        (priors.Who("4711", "", "Müller^Jörg", "19600102", "O"), ""),
        (priors.Who("4711", "", "Müller^Jörg"), "the issuer is not stated, and neither is the date of birth"),
        (
            priors.Who("4711"),
            "the issuer is not stated, and neither is the name and the date of birth",
        ),
        (priors.Who("4712", "NORTH", "Müller^Jörg", "19600102", "M"), "the patient ID differs"),
        (priors.Who("4711", "SOUTH", "Müller^Jörg", "19600102"), "the issuer of the patient ID differs"),
        (
            priors.Who("4711", "NORTH", "Müller^Eva", "19610102", "F"),
            "the date of birth differs, the name differs, the sex differs",
        ),
        (priors.Who("4711", "NORTH", "Mueller^Joerg=山田^太郎", "19600102"), "the name differs"),
    ],
)
def test_who_may_be_another_patient_is_told_apart_with_the_reason(theirs, reason):
    assert priors.difference(OURS, theirs) == reason


def test_a_name_that_agrees_in_another_script_is_the_same():
    ours = priors.Who("1", "", "Yamada^Tarou=山田^太郎", "19600102")

    assert priors.difference(ours, priors.Who("1", "", "YAMADA^TARO=山田^太郎", "19600102")) == ""


def test_what_a_source_answers_is_not_trusted(room, take, make_study, store, monkeypatch):
    take(*make_study(NOW, "20240601", "CT chest"))
    with store.database.reading() as db:
        subject = priors.get_subject(db, NOW)
    nonsense = [
        {},
        {"0020000D": None},
        {"0020000D": {"Value": [NOW]}},
        {"0020000D": {"Value": ["1.2.11"]}, "00100020": {"Value": "4711"}, "00201208": {"Value": ["many"]}},
        {"0020000D": {"Value": ["1.2.11"]}},
        {"0020000D": {"Value": ["1.2.12\x00"]}, "00081030": {"Value": ["a\nb" + "x" * 999]}},
        {"0020000D": {"Value": ["../1.2"]}},
    ]

    found = list(asking._read(nonsense, subject, "WEB"))

    assert [find.prior_uid for find in found] == ["1.2.11", "1.2.12"]
    assert found[0].images == 0
    assert len(found[1].exam) == 200
    assert found[1].exam.startswith("a b")
