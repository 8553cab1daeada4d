"""A study beside its prior: which lesion is which, and what became of it."""

from dataclasses import replace
from io import BytesIO
from itertools import permutations
from typing import Any

import numpy as np
import pytest

from sightline.intelligence.routing import _comparing as comparing
from sightline.kernel.quantities import Quantity
from sightline.record import findings, timeline
from sightline.science.alignment import Alignment, QualityTest
from sightline.science.geometry import Grid
from sightline.trust import access
from tests.care.clinic import FIRST, SECOND, THIRD

GRID = Grid((60, 60, 60), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
GEOMETRY = comparing.Geometry(GRID, GRID, thickness_mm=1.0, modality="CT", differs=())
LEFT_PLACE, RIGHT_PLACE = (15.0, 30.0, 30.0), (45.0, 30.0, 30.0)


def unmoved(verdict: str = "good") -> Alignment:
    """Two scans of someone who lay exactly the same."""
    field = np.zeros((*GRID.shape_zyx, 3), np.float32)
    return Alignment(verdict, "made up", (), GRID, field, np.ones(GRID.shape_zyx, np.float32), "made up")


class Patient:
    """Three studies of one patient, and spheres found in them."""

    def __init__(self, clinic: Any) -> None:
        self.clinic, self.db, self.blobs = clinic, clinic.db, clinic.store.blobs

    def find(self, study: str, *spheres: tuple[tuple[float, float, float], float]) -> list[findings.Finding]:
        """Have the model propose spheres, given by centre (x, y, z) and diameter in mm."""
        run = f"run-{study}"
        found = [self._sphere(study, run, i, centre, mm) for i, (centre, mm) in enumerate(spheres)]
        source = findings.Source(findings.SourceKind.MODEL, "chest-ct-nodules", "1", run)
        patient = self.clinic.patient_of(study)
        return findings.propose_findings(self.db, study, patient, source, found, by=access.SYSTEM)

    def _sphere(
        self, study: str, run: str, index: int, centre: tuple[float, float, float], mm: float
    ) -> findings.Found:
        half = int(mm / 2) + 1
        z, y, x = np.ogrid[-half : half + 1, -half : half + 1, -half : half + 1]
        offset = [round(c) - half for c in reversed(centre)]
        file = BytesIO()
        np.savez_compressed(file, mask=x**2 + y**2 + z**2 <= (mm / 2) ** 2, offset_zyx=np.array(offset))
        key = f"masks/{run}/{index}.npz"
        self.blobs.put_if_absent(key, file.getvalue())
        plain = self.clinic.nodule(study, index, mm, run, "R", mask=False)
        values = plain.values | {"volume": Quantity(np.pi / 6 * mm**3, "mm3", "formula of the sphere")}
        return replace(plain, centre_lps_mm=centre, values=values, mask_key=key)

    def pair(self, study: str, prior: str) -> comparing.Pair:
        return comparing.Pair(
            study, prior, self.clinic.patient_of(study), f"{study}.1", f"{prior}.1", "same region", 180,
            [f"{study}.1.1"], [f"{prior}.1.1"], prior_date=FIRST,
        )  # fmt: skip

    def compare(
        self, study: str, prior: str, alignment: Alignment | str | None = None
    ) -> timeline.Comparison:
        """Compare as the job does, with the alignment given."""
        comparison, lesions = comparing.build_comparison(
            self.db, self.blobs, self.pair(study, prior), alignment or unmoved(), GEOMETRY
        )
        findings.unify_lesions(self.db, self.clinic.patient_of(study), lesions, by=access.SYSTEM)
        timeline.record_comparison(self.db, comparison, by=access.SYSTEM)
        return comparison

    def lesion(self, finding: findings.Finding) -> str:
        return findings.get_finding(self.db, finding.id).lesion


@pytest.fixture
def patient(receive, clinic) -> Patient:
    for study, date in (("1.1", FIRST), ("1.2", SECOND), ("1.3", THIRD)):
        receive(study, date)
    return Patient(clinic)


def test_a_lesion_that_grew_is_linked_and_measured(patient):
    [then] = patient.find("1.1", (LEFT_PLACE, 8.0))
    [now] = patient.find("1.2", (LEFT_PLACE, 12.0))

    [change] = patient.compare("1.2", "1.1").changes

    assert (change.current, change.prior, change.kind, change.linked) == (now.id, then.id, "grown", True)
    assert change.percent == pytest.approx(237.5)
    assert change.doubling_days == pytest.approx(180 * np.log(2) / np.log(3.375))
    assert patient.lesion(now) == patient.lesion(then)


def test_new_and_vanished_lesions_are_told_apart_and_linked_with_nothing(patient):
    [then] = patient.find("1.1", (LEFT_PLACE, 8.0))
    [now] = patient.find("1.2", (RIGHT_PLACE, 8.0))

    comparison = patient.compare("1.2", "1.1")

    told = {(c.current, c.prior): (c.kind, c.text) for c in comparison.changes}
    assert told == {
        (now.id, None): ("new", "new nodule of 8.0 mm since 3 January 2025"),
        (None, then.id): ("vanished", "nodule of 8.0 mm no longer seen"),
    }
    assert patient.lesion(now) != patient.lesion(then)


@pytest.mark.parametrize("order", list(permutations([("1.2", "1.1"), ("1.3", "1.2"), ("1.3", "1.1")])))
def test_in_whatever_order_three_dates_are_compared_the_lesion_is_one(patient, order):
    [one], [two], [three] = (patient.find(study, (LEFT_PLACE, 8.0)) for study in ("1.1", "1.2", "1.3"))

    for study, prior in order:
        patient.compare(study, prior)

    assert len({patient.lesion(f) for f in (one, two, three)}) == 1


@pytest.mark.parametrize("order", [[("1.2", "1.1"), ("1.3", "1.2")], [("1.3", "1.2"), ("1.2", "1.1")]])
def test_two_lesions_stay_two_over_three_dates(patient, order):
    lines = [patient.find(s, (LEFT_PLACE, 8.0), (RIGHT_PLACE, 8.0)) for s in ("1.1", "1.2", "1.3")]

    for study, prior in order:
        patient.compare(study, prior)

    left, right = ({patient.lesion(line[side]) for line in lines} for side in (0, 1))
    assert len(left) == len(right) == 1
    assert left != right


def test_a_comparison_that_is_made_again_changes_nothing(patient):
    for study in ("1.1", "1.2"):
        patient.find(study, (LEFT_PLACE, 8.0), (RIGHT_PLACE, 8.0))
    first = patient.compare("1.2", "1.1")
    before = findings.of_patient(patient.db, patient.clinic.patient_of("1.2"))

    again = patient.compare("1.2", "1.1")

    assert replace(again, at=first.at) == first
    assert findings.of_patient(patient.db, patient.clinic.patient_of("1.2")) == before


def test_a_link_that_is_no_longer_found_is_undone(patient, radiologist):
    [then] = patient.find("1.1", (LEFT_PLACE, 8.0))
    [now] = patient.find("1.2", (LEFT_PLACE, 8.0))
    patient.compare("1.2", "1.1")
    findings.decide_finding(patient.db, now.id, findings.Decision.REJECT, by=radiologist)

    [change] = patient.compare("1.2", "1.1").changes

    assert (change.current, change.kind) == (None, "vanished")
    assert patient.lesion(now) == now.lesion
    assert patient.lesion(then) == then.lesion


def test_a_better_partner_takes_the_place_of_the_one_before_and_no_two_share_it(patient, radiologist):
    [then] = patient.find("1.1", (LEFT_PLACE, 8.0))
    [now] = patient.find("1.2", ((22.0, 30.0, 30.0), 8.0))
    patient.compare("1.2", "1.1")
    assert patient.lesion(now) == patient.lesion(then)
    found = patient._sphere("1.2", "mark", 0, LEFT_PLACE, 8.0)
    ada = patient.clinic.patient_of("1.2")
    marked = findings.mark_finding(patient.db, "1.2", ada, found, by=radiologist)

    patient.compare("1.2", "1.1")

    assert patient.lesion(marked) == patient.lesion(then)
    assert patient.lesion(now) != patient.lesion(then)


def test_what_was_reported_under_a_uid_keeps_it_when_an_older_study_arrives_late(patient):
    [two], [three] = patient.find("1.2", (LEFT_PLACE, 8.0)), patient.find("1.3", (LEFT_PLACE, 8.0))
    patient.compare("1.3", "1.2")
    known = patient.lesion(three)

    [one] = patient.find("1.1", (LEFT_PLACE, 8.0))
    patient.compare("1.2", "1.1")

    assert {patient.lesion(f) for f in (one, two, three)} == {known}


def test_an_alignment_that_failed_links_nothing_and_tells_no_change(patient):
    [then] = patient.find("1.1", (LEFT_PLACE, 8.0))
    [now] = patient.find("1.2", (LEFT_PLACE, 12.0))

    comparison = patient.compare("1.2", "1.1", unmoved("failed"))

    assert comparison.alignment.grid is None
    assert {c.kind for c in comparison.changes} == {"cannot-tell"}
    assert patient.lesion(now) != patient.lesion(then)


def test_two_studies_that_could_not_be_aligned_at_all_say_why(patient):
    patient.find("1.1", (LEFT_PLACE, 8.0))
    patient.find("1.2", (LEFT_PLACE, 12.0))

    comparison = patient.compare("1.2", "1.1", "The slices do not form a volume.")

    assert comparison.alignment.verdict == "failed"
    assert comparison.alignment.reason == "The slices do not form a volume."
    assert comparison.changes == ()


def test_a_test_of_the_alignment_that_has_no_number_is_left_out_of_what_is_kept(patient):
    tests = (QualityTest("coverage", 2.0, 50.0, "%", False), QualityTest("detail", np.nan, 0.3, "", False))

    comparison = patient.compare("1.2", "1.1", replace(unmoved("failed"), tests=tests))

    assert timeline.comparison_of(patient.db, "1.2") == comparison
    assert [test["name"] for test in comparison.alignment.tests] == ["coverage"]


def test_two_lesions_that_fit_one_prior_alike_are_left_to_a_person(patient):
    [then] = patient.find("1.1", (LEFT_PLACE, 8.0))
    nows = patient.find("1.2", ((13.0, 30.0, 30.0), 8.0), ((17.0, 30.0, 30.0), 8.0))

    comparison = patient.compare("1.2", "1.1")

    assert not any(c.linked for c in comparison.changes)
    assert {c.kind for c in comparison.changes} == {"cannot-tell"}
    assert len({patient.lesion(f) for f in (then, *nows)}) == 3


def test_a_persons_corrected_volume_is_what_growth_is_told_from(patient, radiologist):
    patient.find("1.1", (LEFT_PLACE, 8.0))
    [now] = patient.find("1.2", (LEFT_PLACE, 12.0))
    same = findings.Correction(volume_mm3=np.pi / 6 * 8.0**3)
    findings.correct_finding(patient.db, now.id, same, by=radiologist)

    [change] = patient.compare("1.2", "1.1").changes

    assert (change.kind, change.percent) == ("stable", pytest.approx(0.0, abs=1e-9))


def test_a_finding_without_a_mask_is_not_compared_and_breaks_nothing(patient):
    patient.find("1.1", (LEFT_PLACE, 8.0))
    patient.clinic.propose("1.2", 9.0)

    assert [c.kind for c in patient.compare("1.2", "1.1").changes] == ["vanished"]


def test_the_field_for_the_browser_has_the_grid_that_the_comparison_names(patient):
    comparison = patient.compare("1.2", "1.1")
    pair = patient.pair("1.2", "1.1")
    patient.blobs.put_if_absent(f"{pair.key}.npz", unmoved().to_bytes())

    data = np.frombuffer(comparing.browser_field(patient.blobs, comparison.alignment), "<f4")

    assert data.size == 3 * np.prod(comparison.alignment.grid["shape_zyx"])
    assert not data.any()


def test_the_key_of_an_alignment_names_exactly_its_images(patient):
    pair = patient.pair("1.2", "1.1")

    assert replace(pair, images=["b", "a"]).key == replace(pair, images=["a", "b"]).key
    assert replace(pair, images=["a"]).key != pair.key
    assert replace(pair, images=pair.prior_images, prior_images=pair.images).key != pair.key
