"""Documents, films, waveforms and slides in a real browser, under the policy that our pages have."""

import base64
import mimetypes
import shutil
import subprocess
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.data import get_testdata_file

from sightline.runtime.http import CONTENT_SECURITY_POLICY
from tests.care.documents import objects
from tests.pictures.looking import PASSWORD, serving

WEB = Path(__file__).parents[2] / "web"
VITE = WEB / "node_modules" / "vite" / "bin" / "vite.js"
RECORD = """async () => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 160, height: 120 });
  const pen = canvas.getContext('2d');
  const timer = setInterval(() => { pen.fillStyle = `hsl(${performance.now() % 360}, 70%, 40%)`;
                                    pen.fillRect(0, 0, 160, 120); }, 40);
  const mimeType = 'video/mp4;codecs=avc1.640028';
  if (!MediaRecorder.isTypeSupported(mimeType)) return '';
  const recorder = new MediaRecorder(canvas.captureStream(25), { mimeType });
  const parts = [];
  recorder.ondataavailable = (event) => parts.push(event.data);
  recorder.start();
  await new Promise((done) => setTimeout(done, 900));
  const stopped = new Promise((done) => { recorder.onstop = done; });
  recorder.stop();
  await stopped;
  clearInterval(timer);
  const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
}"""
COLOURS = """(canvas) => {
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let [bright, purple] = [0, 0];
  for (let k = 0; k < data.length; k += 4) {
    if (data[k] > 190 && data[k + 1] > 190 && data[k + 2] > 190) bright += 1;
    if (data[k] > 90 && data[k] < 150 && data[k + 1] < 70 && data[k + 2] > 100) purple += 1;
  }
  return { bright, purple, all: data.length / 4 };
}"""
VISITS = ("slide", "pdf", "cda", "mpeg2", "film", "ecg", "report")
Show = Callable[..., Any]


def study_of(name: str) -> str:
    return f"1.2.78.{VISITS.index(name) + 1}"


def filed(folder: Path, name: str, number: int, data: bytes) -> None:
    """Write an object as one of a study of its own, of a patient of its own."""
    ds = dcmread(BytesIO(data))
    ds.StudyInstanceUID, ds.PatientID = study_of(name), f"P-{name}"
    ds.SeriesInstanceUID = f"{study_of(name)}.1"
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"{study_of(name)}.1.{number}"
    ds.save_as(folder / f"{name}-{number}.dcm", enforce_file_format=True)


def dose_report() -> bytes:
    """A small report: a text that would be markup, a number, an image."""
    ds = objects.blank("1.2.840.10008.5.1.4.1.1.88.22", Modality="SR", CompletionFlag="COMPLETE")
    ds.VerificationFlag, ds.ContentDate, ds.ContentTime = "UNVERIFIED", "20250103", "101500"
    ds.ConceptNameCodeSequence = objects.code("113701", "DCM", "X-Ray Radiation Dose Report")
    part, words, number, picture, image = (Dataset() for _ in range(5))
    part.ValueType, part.RelationshipType = "CONTAINER", "CONTAINS"
    part.ConceptNameCodeSequence = objects.code("1", "99T", "Dose")
    words.ValueType, words.TextValue = "TEXT", "<img src=x onerror=alert(1)>"
    words.ConceptNameCodeSequence = objects.code("2", "99T", "Comment")
    measured = Dataset()
    measured.NumericValue, measured.MeasurementUnitsCodeSequence = "12.5", objects.code("mGy", "UCUM", "mGy")
    number.ValueType, number.MeasuredValueSequence = "NUM", [measured]
    number.ConceptNameCodeSequence = objects.code("113830", "DCM", "Mean CTDIvol")
    image.ReferencedSOPClassUID, image.ReferencedSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", "1.2.3.4"
    picture.ValueType, picture.ReferencedSOPSequence = "IMAGE", [image]
    for item in (words, number, picture):
        item.RelationshipType = "CONTAINS"
    part.ContentSequence = [words, number, picture]
    ds.ContentSequence = [part]
    return objects.written(ds)


def write_objects(folder: Path, film: bytes) -> None:
    whole = objects.tissue(3000, 2200)
    filed(folder, "slide", 1, objects.slide(whole, 1))
    filed(folder, "slide", 2, objects.slide(np.ascontiguousarray(whole[::4, ::4]), 2, mm=0.002, sparse=True))
    filed(folder, "slide", 3, objects.slide(objects.tissue(200, 200), 3, flavour="LABEL"))
    filed(folder, "pdf", 1, objects.pdf())
    cda = "1.2.840.10008.5.1.4.1.1.104.2"
    filed(folder, "cda", 1, objects.pdf(b"<ClinicalDocument/>", "text/xml", cda))
    filed(folder, "mpeg2", 1, objects.film(b"\0\0\1\xba" + bytes(2000), "1.2.840.10008.1.2.4.100"))
    filed(folder, "report", 1, dose_report())
    filed(folder, "ecg", 1, Path(get_testdata_file("waveform_ecg.dcm")).read_bytes())
    if film:
        filed(folder, "film", 1, objects.film(film))


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pane by itself, as built."""
    node = shutil.which("node")
    if node is None or not VITE.is_file():
        pytest.skip("the packages of the web app are not installed: run make setup")
    folder = tmp_path_factory.mktemp("harness")
    config = WEB / "test" / "harness" / "vite.config.ts"
    build = [node, str(VITE), "build", "--config", str(config), "--outDir", str(folder)]
    subprocess.run(build, cwd=WEB, check=True, timeout=120, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def film(chromium: Any) -> bytes:
    """A film that this browser made; empty where it cannot."""
    page = chromium.new_page()
    page.goto("about:blank")
    made = base64.b64decode(page.evaluate(RECORD))
    page.close()
    return made


@pytest.fixture(scope="module")
def address(film: bytes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A served installation that holds one object of each kind."""
    folder = tmp_path_factory.mktemp("documents")
    (folder / "objects").mkdir()
    write_objects(folder / "objects", film)
    with serving(folder, folder / "objects") as address:
        yield address


def until(page: Any, expression: str) -> None:
    """Wait until an expression holds; our policy forbids the `eval` that Playwright's own wait is."""
    for _ in range(150):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(100)
    pytest.fail(f"never came true: {expression}")


@pytest.fixture
def show(chromium: Any, address: str, harness: Path) -> Iterator[Show]:
    """Show the documents of a study in a pane; nothing may break the policy or fail."""
    context = chromium.new_context(viewport={"width": 1000, "height": 700}, base_url=address)
    login = {"username": "admin", "password": PASSWORD}
    assert context.request.post("/api/session", data=login, headers={"X-Sightline": "1"}).ok
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)

    def serve(route: Any) -> None:
        name = route.request.url.split("/harness/")[1].split("#")[0] or "index.html"
        headers = {"Content-Security-Policy": CONTENT_SECURITY_POLICY}
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        route.fulfill(body=(harness / name).read_bytes(), content_type=kind, headers=headers)

    page.route("**/harness/**", serve)

    def show(name: str, width: int = 1000, height: int = 700) -> Any:
        page.set_viewport_size({"width": width, "height": height})
        page.goto(f"/harness/index.html#{study_of(name)}/{study_of(name)}.1")
        page.wait_for_selector(".document-pane")
        return page

    yield show
    context.close()
    assert problems == []


def test_the_pane_is_fetched_without_the_image_viewer(harness):
    assert [file.name for file in harness.rglob("*.js") if b"cornerstone" in file.read_bytes().lower()] == []


def test_a_report_is_read_as_text_and_leads_to_its_images(show):
    page = show("report")

    page.wait_for_selector("h2:has-text('X-Ray Radiation Dose Report')")
    said = page.inner_text(".report-page")
    assert "<img src=x onerror=alert(1)>" in said
    assert "12.5 mGy" in said.replace("\xa0", " ")
    assert "not verified" in said
    assert "complete" in said
    page.get_by_role("button", name="CT image").press("Enter")
    assert page.title() == "image 1.2.3.4 frame 1"


def test_a_pdf_is_shown_by_the_browsers_own_reader(show):
    page = show("pdf")

    frame = page.wait_for_selector("iframe")
    assert frame.get_attribute("title") == "Letter"
    assert page.get_by_role("link", name="Download").get_attribute("href").endswith("document?download=true")


def test_another_kind_of_file_is_named_and_not_shown(show):
    page = show("cda")

    page.wait_for_selector("text=clinical document (CDA) is not shown here")
    assert page.query_selector("iframe") is None


def test_a_film_that_the_browser_lacks_is_said_to_be_so(show):
    page = show("mpeg2")

    page.wait_for_selector("text=packed as an MPEG program stream")
    assert page.query_selector("video") is None


def test_a_film_is_played_and_stepped_through(show, film):
    if not film:
        pytest.skip("this browser cannot make an MP4 film to test with")
    page = show("film")

    until(page, "document.querySelector('video')?.readyState >= 2")
    page.get_by_role("button", name="Forward one frame").press("Enter")
    assert page.evaluate("document.querySelector('video').currentTime") == pytest.approx(0.04, abs=0.001)
    assert page.evaluate("document.querySelector('video').error") is None


@pytest.mark.parametrize(("width", "height"), [(1000, 700), (300, 300)])
def test_an_ecg_is_drawn_and_measured_by_keys(show, width, height):
    page = show("ecg", width, height)

    page.wait_for_selector("[role=application]")
    until(page, f"({COLOURS})(document.querySelector('.ecg-paper canvas')).bright > 200")
    page.focus("[role=application]")
    page.keyboard.press("c")
    before = page.inner_text(".ecg-measured")
    page.keyboard.press("Shift+ArrowRight")
    assert "400 ms" in before
    assert "150 /min" in before
    assert "440 ms" in page.inner_text(".ecg-measured")
    page.keyboard.press("[")
    assert page.inner_text(".ecg-measured").startswith("V6")
    assert page.query_selector(".ecg-flag") is None
    page.keyboard.press("f")
    assert "filtered" in page.inner_text(".ecg-flag")
    page.keyboard.press("2")
    page.wait_for_selector("button[aria-pressed=true]:has-text('12×1')")


@pytest.mark.parametrize(("width", "height"), [(1000, 700), (300, 300)])
def test_a_slide_is_moved_and_enlarged_by_keys(show, width, height):
    page = show("slide", width, height)

    page.wait_for_selector(".slide-stage canvas", state="attached")
    stage = "document.querySelector('.slide-stage canvas')"
    until(page, f"(() => {{ const c = ({COLOURS})({stage}); return c.bright > c.all / 10; }})()")
    assert page.inner_text(".slide-corner .scale")
    page.focus("[role=application]")
    page.keyboard.press("1")
    assert page.inner_text(".slide-corner.left").startswith("20×")
    assert page.inner_text(".slide-corner .scale") == "50 µm"
    until(page, f"(() => {{ const c = ({COLOURS})({stage}); return c.purple > c.all / 4; }})()")
    page.keyboard.press("0")
    page.get_by_role("button", name="Label").click()
    until(page, "document.querySelector('dialog img')?.naturalWidth === 200")
