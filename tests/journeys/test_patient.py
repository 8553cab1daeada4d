"""A patient through time in a real browser: curves, keys, the way to the images, entries by hand, paper."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import NEWEST
from tests.proofs import LONG

pytestmark = [pytest.mark.journey, LONG]  # the simulated patient takes minutes to be analysed and aligned


@pytest.fixture
def timeline(page: Page) -> Page:
    """The patient's page, opened from a study, with its curves drawn."""
    patient = page.request.get(f"/api/studies/{NEWEST}/reading").json()["study"]["patient"]["id"]
    page.goto(f"/patient/{patient}")
    page.locator(".plot canvas").first.wait_for()
    return page


def test_a_point_chosen_by_keys_is_told_in_full_and_opens_its_images_at_that_finding(timeline: Page) -> None:
    curve = timeline.get_by_role("slider", name="Volume of right lung, upper third, nodule").first
    curve.focus()
    timeline.keyboard.press("End")
    told = curve.get_attribute("aria-valuetext") or ""

    assert re.search(r"3 Nov 2026: \d+ mm³ .*95 % interval", told)
    assert "chest-ct-nodules" in told
    assert re.search(r"\+\d+ %.* in \d+ d", told)
    timeline.keyboard.press("Enter")
    timeline.wait_for_url("**/study/*?finding=*")
    finding = timeline.url.rpartition("finding=")[2]
    held = timeline.request.get(f"/api/findings/{finding}/outline").json()
    assert held["finding_id"] == finding
    expect(timeline.locator(".finding.selected, [aria-current=true]").first).to_be_visible(timeout=60_000)


def test_zoom_scale_and_filters_act_by_key_and_stay_in_the_address_without_patient_data(
    timeline: Page,
) -> None:
    before = timeline.locator(".head-track .tick").all_text_contents()
    timeline.keyboard.press("+")
    timeline.keyboard.press("+")
    assert timeline.locator(".head-track .tick").all_text_contents() != before
    timeline.keyboard.press("0")
    expect(timeline.locator(".head-track .tick")).to_have_text(before)

    timeline.keyboard.press("l")
    timeline.keyboard.press("q")
    timeline.get_by_role("button", name="Accepted only").click()

    query = timeline.url.partition("?")[2]
    assert query == "quantity=long_axis&scale=log&state=accepted"
    timeline.reload()
    expect(timeline.get_by_label("Quantity")).to_have_value("long_axis")
    expect(timeline.get_by_role("button", name="Accepted only")).to_have_attribute("aria-pressed", "true")


def test_a_treatment_and_a_value_are_entered_seen_removed_and_brought_back(timeline: Page) -> None:
    timeline.keyboard.press("t")
    timeline.get_by_label("What was given or done").fill("Pembrolizumab")
    timeline.get_by_label("Start").fill("2026-06-01")
    timeline.get_by_role("dialog").get_by_role("button", name="Enter").click()
    bar = timeline.get_by_role("button", name="Pembrolizumab: since 1 Jun 2026")
    expect(bar).to_be_visible()

    timeline.keyboard.press("v")
    for label, text in {
        "Test": "LDH",
        "Date": "2026-07-01",
        "Value": "310",
        "Reference range to": "250",
    }.items():
        timeline.get_by_label(label, exact=True).fill(text)
    timeline.get_by_label("Unit").fill("U/L")
    timeline.get_by_role("dialog").get_by_role("button", name="Enter").click()
    curve = timeline.get_by_role("slider", name="LDH")
    curve.scroll_into_view_if_needed()
    expect(curve).to_have_attribute("aria-valuetext", re.compile("reference range up to 250 U/L, outside"))

    bar.click()
    timeline.get_by_role("button", name="Remove").click()
    expect(bar).to_have_count(0)
    timeline.keyboard.press("Control+z")
    expect(bar).to_be_visible()


def test_on_paper_every_curve_has_its_values_and_simulated_data_are_marked(timeline: Page) -> None:
    timeline.emulate_media(media="print")
    timeline.evaluate("dispatchEvent(new Event('beforeprint'))")
    paper = timeline.locator(".paper")
    text = " ".join((paper.inner_text()).split())
    drawn = paper.locator(".paper-curve").count()
    ground = timeline.evaluate("getComputedStyle(document.body).backgroundColor")
    seen = timeline.locator(".timeline").is_visible()
    timeline.evaluate("dispatchEvent(new Event('afterprint'))")
    timeline.emulate_media(media="screen")

    assert "SIMULATED" in text
    assert "right lung, upper third, nodule" in text
    assert "95 % interval" in text
    assert "not a medical device" in text
    assert drawn >= 7
    assert (ground, seen) == ("rgb(255, 255, 255)", False)
    assert timeline.locator(".paper").count() == 0
    assert timeline.pdf(prefer_css_page_size=True).startswith(b"%PDF")
