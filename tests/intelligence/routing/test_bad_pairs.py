"""Pairs that cannot be compared, walked through every door: what is said, and that nothing is made up.

The doors are `sightline change`, `sightline align`, the job that compares, and the reading page. Images are
read and refused here as in the child process that does so on a server.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from types import SimpleNamespace

import pytest
from pydicom import dcmread
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGLSLossless
from typer.testing import CliRunner

from sightline.intelligence import routing
from sightline.intelligence.routing import _comparing as comparing
from sightline.intelligence.routing import jobs as chain
from sightline.intelligence.routing._answer import ChangeAnswer
from sightline.intelligence.routing.commands import commands
from sightline.kernel.errors import NotFound, PlatformError
from sightline.record import archive, timeline
from sightline.trust import access
from tests.care.clinic import FIRST, SECOND, THIRD, make_slice

NOW, PRIOR = "1.2", "1.1"
OURS = archive.Source("import", "test", access.operator("tester"))
SCOUT = {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}


@pytest.fixture
def database(sqlite):
    """What is said does not depend on the kind of database."""
    return sqlite


class Sender:
    """Sends studies as scanners do."""

    def __init__(self, store):
        self.store = store

    def __call__(self, study, date=FIRST, *, slices=range(1, 7), spoil=lambda data: data, **overrides):
        made = (make_slice(n, study, f"{study}.1", StudyDate=date, **overrides) for n in slices)
        for n, data in enumerate(made):
            item = archive.Incoming("a slice", spoil(data) if n == 2 else data)
            (outcome,) = archive.take_in(self.store, [item], OURS)
            assert outcome.status == "stored"

    def trash(self, study):
        with self.store.database.transaction() as db:
            archive.trash_study(db, study, reason="a test", by=access.operator("tester"), trash_days=30)


def unreadable(data: bytes) -> bytes:
    """Return a slice as a whole file whose pixels no decoder can read."""
    ds = dcmread(BytesIO(data))
    ds.file_meta.TransferSyntaxUID = JPEGLSLossless
    ds.PixelData = encapsulate([b"\xff\xd8" + b"no image" * 8])
    ds["PixelData"].is_undefined_length = True
    file = BytesIO()
    ds.save_as(file, enforce_file_format=True)
    return file.getvalue()


@dataclass(frozen=True)
class Case:
    """A pair: how it comes about, what is said of it where the prior is named, and how the commands end.

    `alone` is what is said where none is named, and `aligned` what `sightline align` says, when that is
    something else; `job` is what the job keeps.
    """

    name: str
    send: Callable[[Sender], None]
    said: str
    change: int
    align: int
    alone: str = ""
    aligned: str = ""
    job: str = ""
    prior: str = PRIOR


def pair(prior=None, now=None, **both):
    """Send a prior and a study, each with what is unusual about it."""

    def send(sender: Sender) -> None:
        sender(PRIOR, **{"date": FIRST, **both, **(prior or {})})
        sender(NOW, **{"date": SECOND, **both, **(now or {})})

    return send


def deleted(sender: Sender) -> None:
    pair()(sender)
    sender.trash(PRIOR)


NONE = r"No earlier CT study of this patient that is held here shows the same region; ask other archives"
NO_DATE = r"so nobody can tell .* before.*; correct what is wrong with 'sightline archive correct"
HOLE = r"The stack of 5 slices has a hole; send the missing images\."
SCOUTS = r"The series holds only localizers \(scouts\), no slices; choose another series\."
SINGLE = r"A single slice does not make a volume; at least 3 are needed, choose another series\."
CORRUPT = r"The pixel data of an image cannot be decoded; send it again\."
GONE = r"No study \S+ is held, so there is nothing to compare with; check the UID, or see"

CASES = [
    Case("no prior", lambda send: send(NOW, SECOND), GONE, 2, 2, alone=NONE),
    Case(
        "another patient",
        pair(prior={"PatientID": "another"}),
        r"of different patients, so nothing is compared; if they are one person's, put that right first",
        1, 1, alone=NONE,
    ),
    Case(
        "other modality",
        pair(prior={"Modality": "MR"}),
        r"The study is CT and the prior MR: sizes are compared within one modality only\. Name a CT",
        1, 1, alone=NONE, aligned=r"failed: Not to be used",
    ),
    Case("a missing slice", pair(now={"slices": [1, 2, 3, 5, 6]}), HOLE, 0, 1, job=HOLE),
    Case("a missing slice in the prior", pair(prior={"slices": [1, 2, 3, 5, 6]}), HOLE, 0, 1, job=HOLE),
    Case("scouts only", pair(now={"slices": [1, 2], **SCOUT}), SCOUTS, 0, 1, job=SCOUTS),
    Case("one slice", pair(now={"slices": [1]}), SINGLE, 0, 1, job=SINGLE),
    Case("a corrupt slice", pair(now={"spoil": unreadable}), CORRUPT, 0, 1, job=CORRUPT),
    Case(
        "a later prior",
        pair(prior={"date": THIRD}),
        r"The prior is of 2026-01-03, which is not before the study of 2025-07-04; name them the other way",
        1, 1, alone=NONE,
    ),
    Case(
        "the same time",
        pair(date=FIRST),
        r"Both studies are of 2025-01-03 10:15, so neither is the earlier; correct what is wrong",
        1, 1, alone=NONE,
    ),
    Case("no date", pair(now={"date": ""}), rf"The study states no date, {NO_DATE}", 1, 1, alone=NO_DATE),
    Case(
        "a prior without date",
        pair(prior={"date": ""}),
        rf"The prior states no date, {NO_DATE}",
        1, 1, alone=NONE,
    ),
    Case(
        "the same study twice",
        lambda send: send(NOW, SECOND),
        "A study is not its own prior; name an earlier one",
        1, 1, alone=NONE, prior=NOW,
    ),
    Case("a deleted prior", deleted, GONE, 2, 2, alone=NONE),
]  # fmt: skip
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
LIKELY = {"no prior", "a missing slice", "one slice", "a deleted prior"}
each_likely_case = pytest.mark.parametrize(
    "case", [case for case in CASES if case.name in LIKELY], ids=lambda case: case.name
)


@pytest.fixture
def sender(store, monkeypatch):
    """Send; what a server does in a child process is done in this one."""
    monkeypatch.setattr(comparing.processes, "run_capped", lambda work, args, **_: work(*args))
    return Sender(store)


@pytest.fixture
def run(store, tmp_path):
    """Return a function that runs a command and gives its exit status and all that it says."""
    here = SimpleNamespace(store=store, operator=access.operator("tester"))
    points = tmp_path / "points.csv"
    points.write_text("x,y,z\n5,5,12\n")

    def run(command, *arguments):
        options = ("--points", str(points)) if command == "align" else ()
        answer = CliRunner().invoke(commands, [command, *arguments, *options], obj=here)
        if isinstance(answer.exception, PlatformError):  # as the command line itself ends it
            return 2 if isinstance(answer.exception, NotFound) else 1, str(answer.exception)
        assert answer.exception is None or isinstance(answer.exception, SystemExit)
        return answer.exit_code, answer.output

    return run


@each_case
def test_change_with_the_prior_named_says_why_nothing_is_compared(case, sender, run):
    case.send(sender)

    status, words = run("change", NOW, "--prior", case.prior)

    assert status == case.change
    assert re.search(case.said, words)
    assert "%" not in words


@each_case
def test_change_on_its_own_is_an_answer_and_states_no_change(case, sender, run):
    case.send(sender)

    status, words = run("change", NOW)
    answer = ChangeAnswer.model_validate_json(run("change", NOW, "--json")[1])

    assert status == 0
    assert re.search(case.alone or case.said, words)
    assert answer.lesions == []
    assert answer.alignment.verdict == "failed"
    assert re.search(case.alone or case.said, answer.alignment.reason)


@each_case
def test_align_maps_nothing_and_ends_in_an_error(case, sender, run):
    case.send(sender)

    status, words = run("align", NOW, case.prior)

    assert status == case.align
    assert re.search(case.aligned or case.said, words)


def compare(store):
    """Have both studies analysed, as far as a model fits, and compared."""
    with store.database.transaction() as db:
        for uid in archive.get_studies(db, [PRIOR, NOW]):
            routing.request_analysis(db, uid, by=access.SYSTEM)
    chain._compare(store, NOW)


@each_case
def test_the_job_keeps_the_reason_or_nothing_and_loses_no_image(case, sender, store):
    case.send(sender)
    with store.database.reading() as db:
        before = archive.get_study(db, NOW).instance_count

    compare(store)

    with store.database.reading() as db:
        kept = timeline.comparison_of(db, NOW)
        assert archive.get_study(db, NOW).instance_count == before
    assert bool(kept) is bool(case.job)
    if kept:
        assert (kept.alignment.verdict, kept.changes) == ("failed", ())
        assert re.fullmatch(case.job, kept.alignment.reason)


@each_likely_case
def test_the_reading_page_says_the_same_and_shows_no_change(case, sender, store, log_in):
    case.send(sender)
    compare(store)

    page = log_in("radiologist").get(f"/api/studies/{NOW}/reading").json()

    assert page["findings"] == page["vanished"] == []
    if case.job:
        assert re.fullmatch(case.job, page["comparison"]["reason"])
        assert page["prior"]["study"]["uid"] == PRIOR
    else:
        assert page["comparison"] is page["prior"] is None
