"""Orders over HTTP and on the command line."""

import json

import pytest
from typer.testing import CliRunner

from sightline.record.orders.commands import commands
from tests.care.clinic import database, log_in, reads, shared_postgresql, store

__all__ = ["database", "log_in", "reads", "shared_postgresql", "store"]

BODY = {
    "patient": {
        "patient_id": "4711", "issuer": "", "name": "Müller^Jörg", "birth_date": "19600102", "sex": "M",
    },
    "requested_procedure": {
        "description": "CT chest", "code": {"value": "24627-2", "scheme": "LN", "meaning": "CT Chest"},
    },
    "referring": "Byron^George",
    "priority": "high",
    "indication": "Cough for six weeks",
    "precautions": {"weight_kg": 81.5, "allergies": "Contrast agent"},
    "steps": [{"modality": "CT", "station_ae": "CT1", "scheduled_at": "2026-05-03T10:15:00"}],
}  # fmt: skip


@pytest.fixture
def client(log_in):
    return log_in("technologist")


@pytest.fixture
def entered(client):
    answer = client.post("/api/orders", json=BODY)
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_an_order_is_entered_and_read_back(client, entered):
    assert entered["patient"] == BODY["patient"]
    assert entered["requested_procedure"]["id"] == entered["accession"]
    assert entered["requested_procedure"]["code"] == BODY["requested_procedure"]["code"]
    assert (entered["status"], entered["origin"], entered["performed"]) == ("scheduled", "api", [])
    assert entered["steps"][0]["scheduled_at"] == "2026-05-03T10:15:00"
    assert entered["precautions"]["weight_kg"] == 81.5
    assert client.get(f"/api/orders/{entered['id']}").json() == entered
    assert client.get("/api/orders").json() == {"items": [entered], "next": None}


def test_an_order_is_changed_in_part(client, entered):
    step = entered["steps"][0]["id"]
    change = {
        "indication": "",
        "steps": [{"id": step, "status": "arrived", "scheduled_at": "2026-05-03T11:00"}],
    }

    answer = client.request("PATCH", f"/api/orders/{entered['id']}", json=change).json()

    assert (answer["status"], answer["indication"], answer["priority"]) == ("arrived", "", "high")
    assert answer["steps"][0]["scheduled_at"] == "2026-05-03T11:00:00"
    assert answer["steps"][0]["station_ae"] == "CT1"


def test_an_order_is_cancelled_once(client, entered):
    assert client.post(f"/api/orders/{entered['id']}/cancel").json()["status"] == "cancelled"

    again = client.post(f"/api/orders/{entered['id']}/cancel")
    assert (again.status_code, again.json()["code"]) == (409, "order-ended")


def test_words_searched_for_travel_in_the_body(client, entered):
    assert client.post("/api/orders/search", json={"text": "mull"}).json()["items"] == [entered]
    assert client.post("/api/orders/search", json={"text": "other"}).json()["items"] == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/api/orders/none", None, 404, "order-not-held"),
        ("PATCH", "/api/orders/none", {}, 404, "order-not-held"),
        ("POST", "/api/orders/none/cancel", None, 404, "order-not-held"),
        ("GET", "/api/orders?after=nowhere", None, 422, "unknown-place"),
        ("POST", "/api/orders", {**BODY, "steps": []}, 422, "invalid-request"),
        ("POST", "/api/orders", {**BODY, "accession": "A" * 17}, 422, "unusable-order"),
        (
            "POST",
            "/api/orders",
            {**BODY, "patient": {"patient_id": "1", "name": "a\\b"}},
            422,
            "unusable-order",
        ),
    ],
)
def test_refusals_say_what_is_the_case(client, method, path, body, status, code):
    answer = client.request(method, path, json=body)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert "a\\b" not in answer.text


class Here:
    def __init__(self, database, operator):
        self.database, self.operator = database, operator


def test_the_commands_enter_list_and_cancel(store, reads):
    from sightline.trust import access

    here = Here(store.database, access.operator("tester"))

    def run(*arguments):
        answer = CliRunner().invoke(commands, [*arguments, "--json"], obj=here)
        assert answer.exit_code == 0, answer.output
        return json.loads(answer.stdout)

    entered = run(
        "add", "--patient-id", "4711", "--name", "Müller^Jörg", "--modality", "CT", "--station", "CT1",
        "--at", "2026-05-03T10:15:00", "--procedure", "CT chest",
    )  # fmt: skip

    assert run("list", "--status", "open")["items"] == [entered]
    assert run("cancel", entered["id"])["status"] == "cancelled"
    assert run("list", "--status", "open")["items"] == []
