"""What is asked, read from text: a table of PS3.4 C.2.2.2 and PS3.18 8.3.4."""

import pytest

from sightline.record import archive
from sightline.record.archive import Empty, Range, Single, UidList, Universal, Wildcard
from sightline.record.archive._matching import is_near

CLAUSES = [
    # clause, VR, text, meaning
    ("C.2.2.2.1", "LO", "4711", Single("4711")),
    ("C.2.2.2.1", "LO", " 4711 ", Single("4711")),
    ("C.2.2.2.1", "DA", "20240131", Single("20240131")),
    ("C.2.2.2.1", "DA", "2024.01.31", Single("20240131")),
    ("C.2.2.2.1", "TM", "10:15", Single("1015")),
    ("C.2.2.2.1", "IS", "007", Single("7")),
    ("C.2.2.2.1", "DS", "1.50", Single("1.5")),
    ("C.2.2.2.1", "DT", "20240131-0500", Single("20240131-0500")),
    ("C.2.2.2.1", "LT", r"a\b", Single(r"a\b")),
    ("C.2.2.2.2", "UI", r"1.2\1.3", UidList(("1.2", "1.3"))),
    ("C.2.2.2.2", "UI", "1.2,1.3", UidList(("1.2", "1.3"))),
    ("C.2.2.2.2", "UI", ["1.2", "1.3"], UidList(("1.2", "1.3"))),
    ("C.2.2.2.2", "UI", "1.2", Single("1.2")),
    ("C.2.2.2.3", "LO", "", Universal()),
    ("C.2.2.2.3", "LO", [], Universal()),
    ("C.2.2.2.3", "LO", "**", Universal()),
    ("C.2.2.2.3", "DA", "-", Universal()),
    ("C.2.2.2.4", "PN", "Mül*", Wildcard("Mül*")),
    ("C.2.2.2.4", "CS", "?R", Wildcard("?R")),
    ("C.2.2.2.5", "DA", "20240101-20240131", Range("20240101", "20240131")),
    ("C.2.2.2.5", "DA", "20240101-", Range("20240101", "")),
    ("C.2.2.2.5", "DA", "-2024.01.31", Range("", "20240131")),
    ("C.2.2.2.5", "DA", "2024-01-01-2024-01-31", Range("20240101", "20240131")),
    ("C.2.2.2.5", "TM", "10:00-12", Range("1000", "12")),
    (
        "C.2.2.2.5",
        "DT",
        "202401010800-0500-202401010900-0500",
        Range("202401010800-0500", "202401010900-0500"),
    ),
    ("C.2.2.2.7", "PN", '""', Empty()),
    ("C.2.2.2.8", "CS", r"CT\MR", UidList(("CT", "MR"))),
]


@pytest.mark.parametrize(("clause", "vr", "text", "meaning"), CLAUSES)
def test_a_key_means_what_the_clause_says(clause, vr, text, meaning):
    assert archive.parse_match("00100020", vr, text) == meaning, clause


@pytest.mark.parametrize(("vr", "text"), [("DA", "yesterday"), ("TM", "noon"), ("IS", "x"), ("DA", "2024*")])
def test_a_key_that_cannot_be_one_is_refused_without_being_repeated(vr, text):
    with pytest.raises(archive.BadKey) as refused:
        archive.parse_match("00100030", vr, text)

    assert text not in str(refused.value)


def test_a_key_of_too_many_values_is_refused():
    with pytest.raises(archive.BadKey, match="too many"):
        archive.parse_match("0020000D", "UI", ["1.2"] * 10_001)


@pytest.mark.parametrize(
    ("asked", "held", "near"),
    [
        ("schmidt", "schmidt", True),
        ("schmitd", "schmidt", True),
        ("shmidt", "schmidt", True),
        ("schhmidt", "schmidt", True),
        ("meier", "meyer", True),
        ("meier", "maier", True),
        ("meier", "maler", False),
        ("ann", "anna", True),
        ("ann", "ana", False),
        ("lüdenscheit", "lüdenscheid", True),
    ],
)
def test_a_name_is_near_with_a_typo_or_two(asked, held, near):
    assert is_near(asked, held) is near


def test_names_meet_whatever_their_case_accents_and_punctuation():
    assert archive.normalise_name("MÜLLER^Jörg^^^") == archive.normalise_name("muller^jorg")
    assert archive.normalise_name("Yamada^Tarou=山田^太郎") == "yamada tarou=山田 太郎"


def test_what_is_matched_is_told_by_level():
    assert archive.searchable("patient")["00100010"] == "PatientName"
    assert "00080060" not in archive.searchable("study")
    required = {"00400275.00400009", "00400275.00401001", "00080060", "0020000E", "00200011", "00400244"}
    assert required < archive.searchable("series").keys()
    assert {"00080016", "00080018", "00200013"} < archive.searchable("instance").keys()
