"""Documents and films, as a browser asks for them."""

import pytest

from sightline.trust import audit
from tests.care.documents.objects import AT, H264_SYNTAX, PDF, SERIES, SOP, STUDY, film, pdf

MP4 = b"\0\0\0\x18ftypisom\0\0\2\0isomavc1" + bytes(range(256)) * 20
CDA = "1.2.840.10008.5.1.4.1.1.104.2"


@pytest.mark.parametrize("size", [400, 100_001], ids=["inline", "bulk"])
def test_a_pdf_is_given_to_be_shown_in_our_own_page_only(reader, put, size):
    data = PDF + b"%" * (size - len(PDF))
    put(pdf(data))

    answer = reader.get(f"{AT}/document")

    assert answer.content == data
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"] == 'inline; filename="document.pdf"'
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'self'; sandbox" in policy
    assert (
        reader.get(f"{AT}/document", params={"download": True})
        .headers["content-disposition"]
        .startswith("attachment")
    )


@pytest.mark.parametrize(
    ("data", "mime", "sop_class", "kind", "name"),
    [
        (b"<html><script>alert(1)</script>", "application/pdf", CDA, "application/pdf", "document.pdf"),
        (b"<ClinicalDocument/>", "text/xml", CDA, "text/xml; charset=utf-8", "document.xml"),
        (b"<html>", "text/html", CDA, "application/octet-stream", "document.bin"),
        (b"solid", "model/stl", "1.2.840.10008.5.1.4.1.1.104.3", "model/stl", "document.stl"),
    ],
)
def test_what_is_no_pdf_is_only_to_be_kept(reader, put, data, mime, sop_class, kind, name):
    put(pdf(data, mime, sop_class))

    answer = reader.get(f"{AT}/document")

    assert answer.headers["content-type"] == kind
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert answer.headers["content-security-policy"].endswith("sandbox")


@pytest.mark.parametrize("pieces", [1, 3])
def test_a_film_is_given_in_ranges_across_its_fragments(reader, put, pieces):
    put(film(MP4, pieces=pieces))

    told = reader.get(f"{AT}/film").json()
    whole = reader.get(told["url"])
    part = reader.get(told["url"], headers={"Range": "bytes=1000-4999"})
    tail = reader.get(told["url"], headers={"Range": "bytes=-10"})

    assert (told["container"], told["codec"], told["codecs"]) == ("MP4", "H.264 (MPEG-4 AVC)", "avc1.640028")
    assert (told["frames"], told["frame_ms"], told["transfer_syntax"]) == (30, 40, H264_SYNTAX)
    assert whole.content[: len(MP4)] == MP4
    assert (part.status_code, part.content) == (206, MP4[1000:5000])
    assert part.headers["content-range"] == f"bytes 1000-4999/{told['size']}"
    assert tail.content == whole.content[-10:]
    assert whole.headers["content-type"] == "video/mp4"
    assert reader.get(told["url"], headers={"Range": "bytes=999999-"}).status_code == 416


@pytest.mark.parametrize(
    ("head", "syntax", "kind"),
    [
        (b"\0\0\1\xba" + bytes(400), "1.2.840.10008.1.2.4.100", "video/mpeg"),
        ((b"\x47" + bytes(187)) * 4, "1.2.840.10008.1.2.4.102", "video/mp2t"),
        (b"\0\0\0\1\x40" + bytes(400), "1.2.840.10008.1.2.4.107", "video/h265"),
    ],
)
def test_what_a_film_is_packed_in_is_read_from_its_bytes(reader, put, head, syntax, kind):
    put(film(head, syntax))

    assert reader.get(f"{AT}/film").json()["media_type"] == kind


def test_what_is_not_there_is_not_found(reader, put, receive):
    put(pdf())

    assert reader.get(f"{AT}/film").json()["code"] == "not-a-film"
    assert reader.get(AT.replace(SERIES, "9.9") + "/document").json()["code"] == "instance-not-held"
    assert reader.get(AT.replace(SOP, "../x") + "/document").status_code in (404, 422)
    receive("1.2.3")
    image = "/api/studies/1.2.3/series/1.2.3.1/instances/1.2.3.1.1"
    assert reader.get(f"{image}/document").json()["code"] == "not-a-document"
    assert reader.get(f"{image}/waveform").json()["code"] == "not-a-waveform"


@pytest.mark.parametrize("what", ["document", "film", "film/stream", "waveform", "waveform/1"])
def test_nobody_and_those_who_may_not_read_get_nothing(log_in, put, what):
    put(pdf())

    assert log_in().get(f"{AT}/{what}").status_code == 401


def test_a_look_is_noted(reader, put, reads, store):
    put(pdf())
    reader.get(f"{AT}/document")
    reads.flush()

    with store.database.reading() as db:
        acts = [entry.act for entry in audit.trail(db, on=STUDY)]
    assert "archive.read" in acts
