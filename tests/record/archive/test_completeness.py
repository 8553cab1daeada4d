"""Whether a study is all here: what came, what was expected, what is missing and why."""

import pytest

from sightline.record import archive
from sightline.trust import access

ARCHIVIST = access.operator("archivist")


def known(store, study="1.2.3"):
    with store.database.reading() as db:
        return archive.completeness(db, study)


def expect(store, **said):
    with store.database.transaction() as db:
        archive.expect(db, "1.2.3", **({"origin": "mpps", "by": ARCHIVIST} | said))


def test_what_came_from_whom_is_counted(store, take, make_slice):
    take(make_slice(1), make_slice(2))
    take(make_slice(2), make_slice(3))
    other = archive.Source("dimse", "CT3", ARCHIVIST)
    archive.take_in(store, [archive.Incoming("x", make_slice(4))], other)

    received = known(store).received

    assert [(r.kind, r.source, r.instances) for r in received] == [("import", "test", 3), ("dimse", "CT3", 1)]
    assert received[0].first_at < received[0].last_at
    assert known(store).is_complete


def test_what_is_missing_is_told_from_what_was_announced(store, take, make_slice):
    expect(store, count=4)
    take(make_slice(1), make_slice(2))

    with store.database.reading() as db:
        assert archive.missing_of(db, ["1.2.3", "9.9"]) == {"1.2.3": archive.Missing(4, 2)}
        short = archive.list_studies(db, archive.Listing(state="incomplete"), by=ARCHIVIST)
        assert [(i.study.uid, i.expected, i.missing) for i in short] == [("1.2.3", 4, 2)]
    assert (known(store).missing, known(store).is_complete) == (2, False)
    take(make_slice(3), make_slice(4))
    assert (known(store).missing, known(store).is_complete) == (0, True)


def test_named_instances_are_missing_even_where_the_number_fits(store, take, make_slice):
    expect(store, sop_uids=["1.2.3.1.1", "1.2.3.1.9"])
    take(make_slice(1), make_slice(2))

    assert known(store).missing == 1


def test_several_steps_add_up_and_saying_it_again_replaces(store, take, make_slice):
    expect(store, count=9, subject="1.9.1")
    expect(store, count=2, subject="1.9.1")
    expect(store, count=1, subject="1.9.2")
    expect(store, count=3, origin="commitment", subject="1.9.3")
    take(make_slice(1))

    assert known(store).missing == 2
    assert sorted(e.count for e in known(store).expected) == [1, 2, 3]


def test_what_we_made_ourselves_does_not_count(store, take, make_slice):
    expect(store, count=2)
    take(make_slice(1))
    ours = archive.Source("internal", "report", access.SYSTEM)
    archive.take_in(store, [archive.Incoming("x", make_slice(1, series="1.2.3.9"))], ours)

    assert known(store).missing == 1


def test_gaps_in_the_numbers_are_told_by_series(store, take, make_slice):
    take(*(make_slice(n) for n in (3, 4, 7, 9)), make_slice(1, series="1.2.3.2"))

    assert known(store).gaps == {"1.2.3.1": ((5, 6), (8, 8))}
    assert not known(store).is_complete
    with store.database.reading() as db:
        assert archive.missing_numbers(db, "1.2.3") == 3


def test_what_was_refused_is_told_with_its_reason(store, take, make_slice):
    take(make_slice(1), make_slice(2))
    archive.reject(store, "1.2.3", "113001", note="", by=ARCHIVIST, sop_uids=["1.2.3.1.1"])
    take(make_slice(1))

    (refused,) = known(store).refused

    assert (refused.code, refused.source) == ("rejected", "test")
    assert "rejected here" in refused.reason


def test_a_study_that_never_came_is_expected_all_the_same(store):
    expect(store, count=5)

    assert (known(store).held, known(store).missing) == (0, 5)


@pytest.mark.parametrize(
    ("numbers", "gaps"),
    [([], ()), ([5], ()), ([1, 2, 3], ()), ([10, 1000, 5000], ()), ([1, 3], ((2, 2),))],
)
def test_numbers_that_count_something_else_have_no_gaps(numbers, gaps):
    from sightline.record.archive._completeness import gaps_in

    assert gaps_in(numbers) == gaps
