"""QIDO-RS: what matches is found, with what the standard says must be told."""

import pydicom
import pytest
from sqlalchemy import event

from tests.wire.dicomweb.conftest import parts_of


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
        ("PatientID=", ["1.2.3", "1.2.4", "1.2.5"]),
        ('PatientID=""', []),
        ("fuzzymatching=true&PatientName=mullr", ["1.2.3", "1.2.5"]),
        ("fuzzymatching=false&PatientName=mullr", []),
        ("multiplevaluematching=true&AccessionNumber=B2%5CC3", ["1.2.4", "1.2.5"]),
        ("multiplevaluematching=false&AccessionNumber=B2%5CC3", []),
        ("multiplevaluematching=true&AccessionNumber=B2&AccessionNumber=C3", ["1.2.4", "1.2.5"]),
        ("emptyvaluematching=true&AccessionNumber=", []),
        ("emptyvaluematching=true&StudyID=", ["1.2.3", "1.2.4", "1.2.5"]),
        ('emptyvaluematching=true&StudyID=""', ["1.2.3", "1.2.4", "1.2.5"]),
        ("StudyDate=20230101-20240131&StudyTime=101500-101500", ["1.2.3", "1.2.4"]),
        ("StudyDate=20240131-20240131&StudyTime=101501-", []),
        ("limit=1&offset=3", []),
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
    warning = client.get("/studies?limit=1&PatientWeight=70").headers["warning"]

    assert "additional results" in warning
    assert "not matched: 00101030" in warning


@pytest.mark.parametrize(
    "query",
    [
        "limit=x",
        "limit=0",
        "offset=-1",
        "NoSuchAttribute=1",
        "includefield=Nonsense",
        "fuzzymatching=maybe",
        "StudyDate=yesterday",
        "InstanceNumber=x",
        "0010001=1",
    ],
)
def test_a_search_that_cannot_be_understood_is_400(client, held, query):
    assert client.get(f"/studies?{query}").status_code == 400


def test_an_attribute_inside_a_sequence_is_matched_by_keyword_and_by_tag(client, put):
    request = pydicom.Dataset()
    request.ScheduledProcedureStepID = "STEP1"
    put(RequestAttributesSequence=[request])

    for name in ("RequestAttributesSequence.ScheduledProcedureStepID", "00400275.00400009"):
        assert len(client.get(f"/series?{name}=STEP1").json()) == 1
        assert client.get(f"/series?{name}=STEP2").status_code == 204


@pytest.mark.parametrize("accept", ["", "*/*", "application/dicom+json", "application/json", "application/*"])
def test_results_come_in_json(client, held, accept):
    response = client.get("/studies", headers={"Accept": accept})

    assert "json" in response.headers["content-type"]
    assert len(response.json()) == 3


def test_results_come_in_xml_a_part_each(client, held):
    response = client.get("/studies", headers={"Accept": 'multipart/related; type="application/dicom+xml"'})

    parts = parts_of(response)
    assert [kind for kind, _ in parts] == ["application/dicom+xml"] * 3
    assert all(b'keyword="StudyInstanceUID"' in document for _, document in parts)


@pytest.mark.parametrize("accept", ["application/dicom", "image/png", "application/dicom+xml"])
def test_results_in_another_form_are_406(client, held, accept):
    assert client.get("/studies", headers={"Accept": accept}).status_code == 406


def test_everything_is_included_when_all_is_asked_for(client, held):
    found = client.get("/studies/1.2.3/instances?includefield=all&limit=1").json()[0]

    assert found["00200032"]["Value"] == [0, 0, -5]
    assert found["00080018"]["Value"] == ["1.2.3.1.1"]


def test_several_attributes_are_included(client, held):
    query = "includefield=StudyDescription,00180015&includefield=Rows"

    found = client.get(f"/studies/1.2.3/instances?{query}&limit=1").json()[0]

    assert [found[tag]["Value"] for tag in ("00081030", "00180015", "00280010")] == [
        ["CT chest"],
        ["CHEST"],
        [16],
    ]


@pytest.mark.parametrize("path", ["/studies", "/series", "/instances"])
def test_pages_are_stable_and_hold_everything_once(client, take, make_slice, path):
    take(*(make_slice(1, study=f"1.2.{n}", series=f"1.2.{n}.1") for n in range(10, 20)))

    pages = [client.get(f"{path}?limit=3&offset={at}") for at in range(0, 12, 3)]

    addresses = [d["00081190"]["Value"][0] for page in pages for d in page.json()]
    assert len(set(addresses)) == len(addresses) == 10
    assert ["warning" in page.headers for page in pages] == [True, True, True, False]


def test_a_search_asks_the_database_as_often_for_many_results_as_for_one(client, store, take, make_slice):
    asked = []
    event.listen(store.database.engine, "before_cursor_execute", lambda *a: asked.append(a[2]))

    def count(path):
        return min(statements(path) for _ in range(4))  # others may ask meanwhile

    def statements(path):
        asked.clear()
        client.get(path)
        return len(asked)

    paths = [f"/{level}" for level in ("studies", "series", "instances")]
    take(make_slice(1, study="1.2.10", series="1.2.10.1"))
    one = [count(path) for path in paths]
    take(*(make_slice(1, study=f"1.2.{n}", series=f"1.2.{n}.1") for n in range(11, 31)))

    assert [count(path) for path in paths] == one


def test_a_page_too_far_behind_is_413(client, held):
    assert client.get("/studies?offset=1000001").status_code == 413


@pytest.mark.parametrize(
    "path",
    ["/studies/9.9/series", "/studies/9.9/instances", "/studies/1.2.3/series/9.9/instances",
     "/studies/1.2.4/series/1.2.3.1/instances"],
)  # fmt: skip
def test_a_search_inside_of_what_is_not_held_is_404(client, held, path):
    assert client.get(path).status_code == 404
