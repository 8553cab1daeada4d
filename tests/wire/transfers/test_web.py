"""A DICOMweb server that is not what it should be."""

import http.server
import threading

import pytest

from sightline.wire import transfers
from sightline.wire.transfers import _web


@pytest.fixture
def answering():
    """A server that answers every request with what the test says."""
    servers = []

    def answering(status, body=b"", **headers):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.rfile.read(0)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self):
                while size := int(self.rfile.readline(), 16):
                    self.rfile.read(size + 2)
                self.rfile.readline()
                self.do_GET()

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return transfers.Server("x", f"http://127.0.0.1:{server.server_port}")

    yield answering
    for server in servers:
        server.shutdown()
        server.server_close()


LISTED = _web.Listed("1.2.3.1", "1.2.3.1.1")


def fetch(server, place, limit=1 << 20):
    with _web.open_client(server, 5) as client:
        _web.fetch_instance(client, "1.2.3", LISTED, place, limit)


def test_the_only_part_of_an_answer_is_written(answering, tmp_path):
    body = b"--x\r\nContent-Type: application/dicom\r\n\r\n" + bytes(range(256)) * 9 + b"\r\n--x--\r\n"
    server = answering(200, body, Content_Type='multipart/related; boundary="x"')

    fetch(server, tmp_path / "file")

    assert (tmp_path / "file").read_bytes() == bytes(range(256)) * 9


@pytest.mark.parametrize(
    "body", [b"", b"--x\r\n\r\nhalf of it", b"no mark at all" * 9000, b"--x" + b"h: v\r\n" * 20000]
)
def test_an_answer_that_broke_off_is_no_object(answering, tmp_path, body):
    server = answering(200, body, Content_Type="multipart/related; boundary=x")

    with pytest.raises(transfers.OtherSideFailed):
        fetch(server, tmp_path / "file")


def test_more_than_is_accepted_is_cut_off(answering, tmp_path):
    server = answering(200, b"1" * 3000, Content_Type="application/dicom")

    with pytest.raises(transfers.OtherSideFailed, match="more than is accepted"):
        fetch(server, tmp_path / "file", limit=1000)


def test_nothing_is_followed_to_another_address(answering, tmp_path):
    server = answering(302, Location="http://169.254.169.254/latest/meta-data")

    with pytest.raises(transfers.OtherSideFailed, match="we never follow"):
        fetch(server, tmp_path / "file")
    with _web.open_client(server, 5) as client:
        with pytest.raises(transfers.OtherSideFailed, match="we never follow"):
            _web.list_studies(client, 0)
        with pytest.raises(transfers.OtherSideFailed, match="we never follow"):
            _web.store_instances(client, [("1.2", [b"bytes"])])


@pytest.mark.parametrize("body", [b"<html>", b"{}", b"[" * 100_000, b'[1, null, {"0020000D": 7}]'])
def test_a_list_that_is_none_lists_nothing_or_is_refused(answering, body):
    server = answering(200, body, Content_Type="application/dicom+json")

    with _web.open_client(server, 5) as client:
        try:
            assert _web.list_studies(client, 0) == []
        except transfers.OtherSideFailed as refused:
            assert "cannot be read" in str(refused)


def test_each_instance_has_the_fate_that_the_server_names(answering):
    body = (
        b'{"00081199": {"vr": "SQ", "Value": [{"00081155": {"vr": "UI", "Value": ["1.1"]}}]},'
        b'"00081198": {"vr": "SQ", "Value": [{"00081155": {"vr": "UI", "Value": ["1.2"]},'
        b'"00081197": {"vr": "US", "Value": [42752]}}]}}'
    )
    server = answering(202, body, Content_Type="application/dicom+json")

    with _web.open_client(server, 5) as client:
        results = _web.store_instances(client, [("1.1", [b"a"]), ("1.2", [b"b"])])

    assert results == {"1.1": "", "1.2": "The server refused it (reason A700)."}


@pytest.mark.parametrize(("status", "words"), [(401, "secret"), (503, "status 503"), (507, "full")])
def test_a_refusal_is_told_in_words(answering, status, words):
    with (
        _web.open_client(answering(status), 5) as client,
        pytest.raises(transfers.OtherSideFailed, match=words),
    ):
        _web.store_instances(client, [("1.1", [b"a"])])
