"""A reader opens a study whose priors lie in another archive: they come, and a doubtful one is taken."""

import os

import httpx
import pytest

from sightline.app.http import STATIC
from tests.orthanc import PASSWORD as ORTHANC_PASSWORD
from tests.orthanc import USER, orthanc
from tests.pictures.looking import PASSWORD, serving
from tests.proofs import LONG

__all__ = ["orthanc"]

NOW, LAST, OTHER = "1.2.10", "1.2.11", "1.2.12"


@pytest.fixture
def reading_room(tmp_path, orthanc, make_slice):
    """A server that holds a study, beside an Orthanc that holds an earlier one and one of another patient."""
    if not (STATIC / "index.html").is_file():
        pytest.skip("the web app is not built: run make setup")
    incoming = tmp_path / "incoming"
    incoming.mkdir()
    for n in range(1, 6):
        (incoming / f"{n}.dcm").write_bytes(
            make_slice(n, study=NOW, series=f"{NOW}.1", StudyDate="20240601", StudyDescription="CT chest")
        )
    for uid, date, name in ((LAST, "20240131", "Müller^Jörg"), (OTHER, "20230301", "Maier^Eva")):
        for n in range(1, 6):
            series = f"{uid}.1"
            orthanc.put(make_slice(n, study=uid, series=series, StudyDate=date, PatientName=name))
    with serving(tmp_path, incoming, SIGHTLINE_PRIORS_ON_ARRIVAL="false") as address:
        _make_source(address, orthanc.web)
        yield address


def _make_source(address, url):
    secret = f"{USER}:{ORTHANC_PASSWORD}"
    body = {"url": url, "auth_kind": "basic", "secret": secret, "priors": True}
    with httpx.Client(base_url=address, headers={"X-Sightline": "1"}) as http:
        http.post("/api/session", json={"username": "admin", "password": PASSWORD})
        assert http.put("/api/transfers/servers/PACS-B", json=body).is_success


def test_a_prior_comes_while_the_study_is_open_and_the_doubtful_one_is_taken(
    reading_room, chromium, tmp_path, pictures
):
    context = chromium.new_context(viewport={"width": 1920, "height": 1080}, base_url=reading_room)
    page = context.new_page()
    log_in(page)
    page.goto(f"/study/{NOW}")
    button = page.locator("#priors")
    button.get_by_text("1 needs a person").wait_for(timeout=60_000)
    page.wait_for_function("document.querySelector('#priors')?.textContent.startsWith('1 prior')")

    page.keyboard.press("Alt+p")
    listed = page.locator("#priors-list")
    listed.get_by_text("the name differs").wait_for()
    pictures(page, "priors-elsewhere")
    assert "Maier" in (listed.inner_text())
    assert listed.locator("li.held").count() == 1
    page.keyboard.press("Enter")  # the first prior has the focus
    page.wait_for_function("document.querySelectorAll('.strip .dot.shown').length === 1")

    page.keyboard.press("Alt+p")
    listed.get_by_role("button", name="Take CT chest").click()
    button.get_by_text("2 priors").wait_for(timeout=60_000)
    listed.locator("li.held").nth(1).wait_for()
    pictures(page, "priors-taken")
    context.close()


@LONG
def test_the_worklist_shows_how_priors_stand_and_the_doubtful_one_is_taken_there(
    reading_room, chromium, pictures
):
    context = chromium.new_context(viewport={"width": 1920, "height": 1080}, base_url=reading_room)
    page = context.new_page()
    log_in(page)
    row = page.locator(".rows .row").filter(has_text="CT chest")
    row.wait_for()
    assert row.locator(".prior-mark").count() == 0  # nobody was asked yet
    page.keyboard.press("p")
    page.get_by_text("Other archives were not asked").wait_for()
    assert page.request.post(f"/api/studies/{NOW}/priors/search", data={}, headers={"X-Sightline": "1"}).ok

    mark = row.locator(".prior-mark.doubtful")
    mark.wait_for(timeout=60_000)
    assert mark.inner_text().startswith("?1")
    words = "Priors in other archives: 1 needs a person · 1 has come from PACS-B"
    assert mark.get_attribute("title") == f"{words} (P)"
    assert words in mark.inner_text()
    pictures(page, "worklist-priors")

    page.keyboard.press("p")
    part = page.get_by_role("region", name="Priors in other archives")
    part.get_by_text("the name differs").wait_for()
    assert page.evaluate("document.activeElement.id") == "row-priors"
    page.keyboard.press("Tab")  # Ask again
    page.keyboard.press("Tab")
    assert "Take CT chest" in page.evaluate("document.activeElement.getAttribute('aria-label')")
    pictures(page, "worklist-priors-detail")
    page.keyboard.press("Enter")

    arrived = row.locator(".prior-mark.arrived")
    arrived.wait_for(timeout=60_000)
    assert arrived.inner_text().startswith("✓2")
    assert "31 Jan 2024 +1" in row.inner_text()
    pictures(page, "worklist-priors-arrived")
    context.close()


@LONG
def test_a_source_that_is_away_is_marked_on_the_worklist_with_what_is_wrong(reading_room, chromium, pictures):
    body = {"url": "http://127.0.0.1:9/dicom-web", "priors": True}
    context = chromium.new_context(viewport={"width": 1366, "height": 768}, base_url=reading_room)
    page = context.new_page()
    log_in(page)
    headers = {"X-Sightline": "1"}
    assert page.request.delete("/api/transfers/servers/PACS-B", headers=headers).ok
    assert page.request.put("/api/transfers/servers/AWAY", data=body, headers=headers).ok
    assert page.request.post(f"/api/studies/{NOW}/priors/search", data={}, headers=headers).ok

    mark = page.locator(".prior-mark.failed")
    mark.wait_for(timeout=60_000)
    mark.click()

    part = page.get_by_role("region", name="Priors in other archives")
    part.get_by_text("The server cannot be reached").wait_for()
    assert part.get_by_text("They told of no earlier study").count() == 0
    assert mark.get_attribute("title") == "Priors in other archives: AWAY has not answered (P)"
    pictures(page, "worklist-priors-failed")
    context.close()


def log_in(page):
    page.goto("/login")
    page.fill("[name=username]", "admin")
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/worklist*")


@pytest.fixture
def pictures(tmp_path):
    """Keep pictures where somebody asks for them, to be looked at."""
    folder = os.environ.get("PICTURES")

    def keep(page, name):
        if folder:
            page.screenshot(path=f"{folder}/{name}.png")

    return keep
