"""From scan to signed report, as a radiologist does it in the browser."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from sightline.app.demo import simulated
from sightline.intelligence.routing import ChangeAnswer
from sightline.science import simulation

pytestmark = pytest.mark.journey

NEWEST = simulated.uid("study", simulated.VISITS[-1])


def open_newest(page: Page) -> None:
    page.goto(f"/study/{NEWEST}")
    wait_for_mark(page, "prior-aligned")


def wait_for_mark(page: Page, name: str) -> None:
    for _ in range(300):
        if page.evaluate("name => performance.getEntriesByName(name).length", name):
            return
        page.wait_for_timeout(100)
    pytest.fail(f"the page never set the mark {name}")


def test_the_worklist_shows_the_most_urgent_first_and_says_why(page: Page) -> None:
    rows = page.get_by_role("grid").get_by_role("row")
    expect(rows).to_have_count(4)  # three studies and the head

    first = rows.nth(1)
    expect(first).to_contain_text("nodule grew")
    expect(first).to_contain_text("SIMULATED")


def test_enter_opens_the_study_beside_its_aligned_prior(page: Page) -> None:
    expect(page.get_by_role("grid").get_by_role("row")).to_have_count(4)
    page.keyboard.press("Enter")
    page.wait_for_url("**/study/*")
    wait_for_mark(page, "prior-aligned")

    expect(page.locator("body")).to_contain_text("alignment good")
    for words in ("CURRENT", "PRIOR", "days earlier"):
        expect(page.get_by_role("main")).to_contain_text(words)


def test_scrolling_moves_both_panes_together(page: Page) -> None:
    open_newest(page)
    panes = page.get_by_role("main")

    def images() -> list[int]:
        return [int(number) for number in re.findall(r"Im (\d+)/", panes.inner_text())]

    before = images()
    page.locator("canvas").first.hover()
    for _ in range(6):
        page.mouse.wheel(0, 100)
        page.wait_for_timeout(80)
    moved = [0, 0]
    for _ in range(40):  # the other pane follows once its images are there
        page.wait_for_timeout(250)
        moved = [b - a for a, b in zip(before, images(), strict=True)]
        if moved[0] and abs(moved[0] - moved[1]) <= 2:
            break

    assert len(moved) == 2
    assert moved[0] != 0
    assert abs(moved[0] - moved[1]) <= 2


@pytest.mark.parametrize(
    ("key", "value"),
    [("l", r"\d mm"), ("b", r"L: [\d.]+ mm"), ("o", r"Mean: -?[\d.]+ HU"), ("O", r"Area: [\d.]+ mm²")],
)
def test_what_is_measured_by_hand_shows_its_value_and_unit(page: Page, key: str, value: str) -> None:
    open_newest(page)
    box = page.locator("canvas").first.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    page.keyboard.press(key)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y + 40, steps=6)
    page.mouse.up()

    expect(page.locator("svg.svg-layer").first).to_contain_text(re.compile(value))


def test_change_is_told_with_size_percent_and_interval(page: Page) -> None:
    open_newest(page)
    panel = page.get_by_role("complementary", name="Findings and report")

    expect(panel).to_contain_text(re.compile(r"\d+\.\d\s*→\s*\d+\.\d\s*mm"))
    expect(panel).to_contain_text(re.compile(r"\+\d+\s*%"))
    expect(panel).to_contain_text("doubling time")
    expect(panel).to_contain_text("new")


def test_from_findings_to_signed_report_and_whole_audit_trail(page: Page, running) -> None:
    open_newest(page)
    panel = page.get_by_role("complementary", name="Findings and report")
    page.keyboard.press("a")
    expect(panel).to_contain_text("accepted")
    report = page.locator(".report")
    expect(report).to_contain_text("doubling time", timeout=10_000)

    for _ in range(8):  # reject the rest, one after the other
        if not panel.get_by_text("proposed").count():
            break
        page.keyboard.press("]")
        page.keyboard.press("r")
        page.wait_for_timeout(700)

    impression = report.locator("[data-section=Impression] [role=textbox]").first
    impression.click()
    page.keyboard.press("End")
    page.keyboard.type(" Seen in the browser.")
    page.keyboard.press("Escape")
    page.locator("canvas").first.click()
    expect(report).to_contain_text("saved", timeout=10_000)

    page.keyboard.press("s")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    page.keyboard.press("Enter")
    expect(report).to_contain_text("signed by", timeout=10_000)
    expect(report).to_contain_text("Stored in the archive", timeout=60_000)
    for kind in ("SR", "SEG", "PDF", "FHIR"):
        expect(report).to_contain_text(kind)

    assert "Seen in the browser." in report.inner_text()
    page.reload()
    wait_for_mark(page, "prior-aligned")
    expect(report).to_contain_text("signed by")
    expect(page.locator(".drawn")).to_have_count(0)  # what the report measured is no drawing
    assert verify(running.folder).returncode == 0


def test_the_response_is_proposed_from_what_was_accepted_and_judged_by_another_criterion(page: Page) -> None:
    """The growing nodule of the simulation more than doubles its volume at each visit: PD by volume."""
    for visit in simulated.VISITS[:-1]:
        study = simulated.uid("study", visit)
        for finding in page.request.get(f"/api/studies/{study}/reading").json()["findings"]:
            decision = {"data": {"decision": "accept"}, "headers": {"X-Sightline": "1"}}
            assert page.request.post(f"/api/findings/{finding['id']}/decision", **decision).ok
    patient = page.request.get(f"/api/studies/{NEWEST}/reading").json()["study"]["patient"]["id"]

    page.goto(f"/patient/{patient}")
    page.get_by_role("link", name="Response").click()
    table = page.locator(".response-table")
    expect(page.locator("main")).to_contain_text("Proposed, kept by nobody yet")

    # None is large enough for a target; a person makes the growing one a target all the same.
    table.locator("tbody th button", has_text="right lung, upper third").first.focus()
    page.keyboard.press("Enter")
    page.get_by_role("dialog").get_by_label("Part in the evaluation").select_option("target")
    page.get_by_role("dialog").get_by_role("button", name="Keep").click()
    expect(page.locator("footer")).to_contain_text("kept by")
    page.get_by_label("Criterion").select_option("volumetric-spheres")
    expect(table.locator(".categories td").last).to_contain_text("PD")
    expect(page.locator(".reasons")).to_contain_text("sum of volumes")
    expect(page.locator(".reasons")).to_contain_text("too small to be a target")
    expect(page.get_by_role("img", name=re.compile("Waterfall.*T1 right lung"))).to_be_visible()

    page.keyboard.press("Control+z")
    expect(page.locator("main")).to_contain_text("Proposed, kept by nobody yet")


def test_lesions_that_are_pointed_at_are_followed_at_the_command_line(running, tmp_path) -> None:
    """Truth by formula: the simulated nodules of the last visit and where they lay in the one before."""
    scans = {visit: simulation.simulate_chest(visit) for visit in (2, 3)}
    now, then = ({n.name: n for n in scans[visit].nodules} for visit in (3, 2))
    at = [f"--at={','.join(f'{v:.1f}' for v in nodule.centre_lps_mm)}" for nodule in now.values()]

    answer = sightline(running.folder, "change", NEWEST, *at, "--json")
    change = ChangeAnswer.model_validate_json(answer.stdout)
    kinds = {name: lesion.change for name, lesion in zip(now, change.lesions, strict=True)}
    assert change.alignment.verdict == "good"
    assert kinds == {"growing": "grown", "stable": "stable", "new": "new"}

    points = tmp_path / "points.csv"
    rows = [",".join(map(str, now[name].centre_lps_mm)) for name in then]
    points.write_text("\n".join(["x,y,z", *rows]))
    mapped = sightline(running.folder, "align", NEWEST, str(change.prior), "--points", str(points)).stdout
    for line, nodule in zip(mapped.split(), then.values(), strict=True):
        assert [float(v) for v in line.split(",")] == pytest.approx(nodule.centre_lps_mm, abs=2)

    backwards = sightline(running.folder, "align", str(change.prior), NEWEST, "--points", str(points))
    assert (backwards.returncode, backwards.stdout) == (1, "")
    assert "not before" in backwards.stderr


def sightline(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "sightline", *arguments, "--data", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def verify(folder: Path) -> "subprocess.CompletedProcess[str]":
    return sightline(folder, "audit", "verify")
