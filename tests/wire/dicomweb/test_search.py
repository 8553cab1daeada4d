"""QIDO-RS: what matches is found, with what the standard says must be told."""

import pytest


@pytest.fixture
def held(take, make_slice):
    take(
        *(make_slice(n) for n in (1, 2)),
        make_slice(1, study="1.2.4", series="1.2.4.1", StudyDate="20230101", PatientID="0815",
                   PatientName="山田^太郎", Modality="MR", AccessionNumber="B2"),
        make_slice(1, study="1.2.5", series="1.2.5.1", StudyDate="20220101", PatientID="0816",
                   PatientName="Muller^Ann", AccessionNumber="C3"),
    )  # fmt: skip


def studies_of(response):
    return [s["0020000D"]["Value"][0] for s in response.json()] if response.status_code == 200 else []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["1.2.3", "1.2.4", "1.2.5"]),
        ("PatientID=4711", ["1.2.3"]),
        ("00100020=4711", ["1.2.3"]),
        ("PatientID=081*", ["1.2.4", "1.2.5"]),
        ("PatientName=muller*", ["1.2.3", "1.2.5"]),
        ("PatientName=MÜLLER^JÖRG", ["1.2.3"]),
        ("PatientName=muller", []),
        ("PatientName=*ann", ["1.2.5"]),
        ("PatientName=山田*", ["1.2.4"]),
        ("AccessionNumber=B2", ["1.2.4"]),
        ("StudyDate=20230101", ["1.2.4"]),
        ("StudyDate=20221231-", ["1.2.3", "1.2.4"]),
        ("StudyDate=-20221231", ["1.2.5"]),
        ("StudyDate=20220101-20230101", ["1.2.4", "1.2.5"]),
        ("ModalitiesInStudy=MR", ["1.2.4"]),
        ("ModalitiesInStudy=CT&StudyDate=2024-", ["1.2.3"]),
        ("StudyInstanceUID=1.2.3,1.2.5", ["1.2.3", "1.2.5"]),
        ("StudyInstanceUID=1.2.3%5C1.2.5", ["1.2.3", "1.2.5"]),
        ("limit=1", ["1.2.3"]),
        ("limit=1&offset=1", ["1.2.4"]),
        ("PatientID=%25", []),
        ("PatientID=4711' or '1'='1", []),
    ],
)
def test_a_search_finds_what_matches_newest_first(client, held, query, found):
    assert studies_of(client.get(f"/studies?{query}")) == found


def test_a_search_without_results_is_204(client, held):
    assert client.get("/studies?PatientID=none").status_code == 204


def test_a_study_tells_what_the_standard_demands(client, held):
    study = client.get("/studies?PatientID=4711").json()[0]

    demanded = "00080005 00080020 00080030 00080050 00080056 00080061 00080090 00081190 00100010 00100020"
    also = "00100030 00100040 0020000D 00200010 00201206 00201208"
    assert {*demanded.split(), *also.split()} <= set(study)
    assert study["00081190"]["Value"] == ["http://pacs.example/dicom-web/studies/1.2.3"]
    assert (study["00201206"]["Value"], study["00201208"]["Value"]) == ([1], [2])


@pytest.mark.parametrize(
    ("path", "tag", "values"),
    [
        ("/studies/1.2.3/series", "0020000E", ["1.2.3.1"]),
        ("/series?Modality=MR", "0020000E", ["1.2.4.1"]),
        ("/studies/1.2.3/series/1.2.3.1/instances", "00200013", [1, 2]),
        ("/studies/1.2.3/instances?InstanceNumber=2", "00080018", ["1.2.3.1.2"]),
        ("/instances?SOPInstanceUID=1.2.5.1.1", "00080018", ["1.2.5.1.1"]),
    ],
)
def test_series_and_instances_are_found_at_all_their_addresses(client, held, path, tag, values):
    assert [d[tag]["Value"][0] for d in client.get(path).json()] == values


def test_an_attribute_asked_for_besides_comes_with_the_result(client, held):
    found = client.get("/studies/1.2.3/series?includefield=BodyPartExamined").json()[0]

    assert found["00180015"]["Value"] == ["CHEST"]


def test_more_results_and_what_was_not_matched_are_told_in_a_warning(client, held):
    warning = client.get("/studies?limit=1&fuzzymatching=true&PatientSex=M").headers["warning"]

    assert "more results" in warning
    assert "fuzzymatching" in warning
    assert "00100040" in warning


@pytest.mark.parametrize(
    "query", ["limit=x", "limit=0", "offset=-1", "NoSuchAttribute=1", "includefield=Nonsense"]
)
def test_a_search_that_cannot_be_understood_is_400(client, held, query):
    assert client.get(f"/studies?{query}").status_code == 400
