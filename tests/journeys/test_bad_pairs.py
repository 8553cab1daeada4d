"""A reader opens studies that cannot be compared with a prior, and reads why."""

import os
import re
import subprocess
import sys
import time

import httpx
import pytest
from playwright.sync_api import expect

from sightline.app.http import STATIC
from tests.care.clinic import FIRST, SECOND, make_slice
from tests.pictures.looking import PASSWORD, serving
from tests.proofs import LONG

SIGHTLINE = (sys.executable, "-m", "sightline")
# What the prior and the study of each patient have of six slices; none: there is no prior.
PATIENTS = {
    "1": (None, range(1, 7)),
    "2": (range(1, 7), (1, 2, 3, 5, 6)),
    "3": (range(1, 7), (1,)),
    "4": (range(1, 7), range(1, 7)),
}
SAID = {
    "2": "The stack of 5 slices has a hole; send the missing images.",
    "3": "A single slice does not make a volume; at least 3 are needed, choose another series.",
}


@pytest.fixture(scope="module")
def reading_room(tmp_path_factory):
    """A server that has compared what it could, and whose fourth patient's prior was thrown away."""
    if not (STATIC / "index.html").is_file():
        pytest.skip("the web app is not built: run make setup")
    folder = tmp_path_factory.mktemp("pairs")
    incoming = folder / "incoming"
    incoming.mkdir()
    for patient, scans in PATIENTS.items():
        for scan, date in ((1, FIRST), (2, SECOND)):
            for n in scans[scan - 1] or ():
                uid = f"1.{patient}.{scan}"
                made = make_slice(n, uid, f"{uid}.1", StudyDate=date, PatientID=f"P{patient}")
                (incoming / f"{uid}-{n}.dcm").write_bytes(made)
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("SIGHTLINE_")},
        "SIGHTLINE_DATA": str(folder / "data"),
        "SIGHTLINE_ADMIN_PASSWORD": PASSWORD,
    }
    for arguments in (("import", str(incoming)), ("archive", "trash", "1.4.1", "--reason", "a test")):
        subprocess.run([*SIGHTLINE, *arguments], env=environment, check=True, timeout=240)
    with serving(folder) as address:
        _wait_until_idle(address)
        yield address


def _wait_until_idle(address):
    with httpx.Client(base_url=address, headers={"X-Sightline": "1"}) as http:
        http.post("/api/session", json={"username": "admin", "password": PASSWORD})
        for _ in range(600):
            jobs = http.get("/api/status").json()["jobs"]
            if not jobs["waiting"] and not jobs["running"]:
                assert jobs["failed"] == 0
                return
            time.sleep(0.2)
    pytest.fail("the jobs do not end")


@LONG
def test_each_says_why_there_is_no_comparison_and_shows_no_change(reading_room, chromium):
    context = chromium.new_context(viewport={"width": 1920, "height": 1080}, base_url=reading_room)
    page = context.new_page()
    page.goto("/login")
    page.fill("[name=username]", "admin")
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/worklist*")
    for patient in PATIENTS:
        page.goto(f"/study/1.{patient}.2")
        head = page.locator("header").first
        if patient in SAID:
            verdict = page.locator("#verdict")
            expect(verdict).to_contain_text("not aligned")
            assert verdict.get_attribute("title") == f"{SAID[patient]} (V)"
            page.keyboard.press("v")
            expect(page.locator("#verdict-tests")).to_contain_text(SAID[patient])
        else:
            expect(head).to_contain_text("no prior")
        folder = os.environ.get("PICTURES")
        if folder:
            page.screenshot(path=f"{folder}/bad-pair-{patient}.png")
        assert not re.search(r"grew|shrank|new nodule|no longer seen", page.locator("main").inner_text())
    context.close()
