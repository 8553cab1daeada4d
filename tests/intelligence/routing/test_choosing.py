"""Which series of a study and its prior are compared."""

from dataclasses import replace

from sightline.intelligence.routing._choosing import series_pair
from sightline.record import findings
from sightline.trust import access
from tests.care.clinic import FIRST, SECOND

FLAIR = {"Modality": "MR", "SeriesDescription": "flair", "EchoTime": 120, "RepetitionTime": 9000,
         "InversionTime": 2500}  # fmt: skip
T1 = {
    "Modality": "MR",
    "SeriesDescription": "t1 mpr",
    "EchoTime": 3,
    "RepetitionTime": 900,
    "InversionTime": 0,
}
SAGITTAL = [0, 1, 0, 0, 0, -1]


def test_the_same_weighting_is_compared_though_another_has_more_images(db, receive):
    receive("1.1", FIRST, series="1.1.1", slices=6, **T1)
    receive("1.1", FIRST, series="1.1.2", slices=4, **FLAIR)
    receive("1.2", SECOND, series="1.2.1", slices=5, **FLAIR)

    assert series_pair(db, "1.2", "1.1") == ("1.2.1", "1.1.2")


def test_of_alike_pairs_the_one_that_holds_findings_is_compared(db, receive, clinic):
    for study, date in (("1.1", FIRST), ("1.2", SECOND)):
        receive(study, date, series=f"{study}.1", slices=6, **T1)
        receive(study, date, series=f"{study}.2", slices=4, **FLAIR)
    assert series_pair(db, "1.2", "1.1") == ("1.2.1", "1.1.1")

    marked = replace(clinic.nodule("1.2", 0, 8.0, "run", "R", mask=True), series_uid="1.2.2")
    source = findings.Source(findings.SourceKind.MODEL, "m", "1", "run", "a" * 64, "b" * 64)
    findings.propose_findings(db, "1.2", clinic.patient_of("1.2"), source, [marked], by=access.SYSTEM)

    assert series_pair(db, "1.2", "1.1") == ("1.2.2", "1.1.2")


def test_the_same_plane_comes_before_more_images(db, receive):
    receive("1.1", FIRST, series="1.1.1", slices=6, ImageOrientationPatient=SAGITTAL)
    receive("1.1", FIRST, series="1.1.2", slices=4)
    receive("1.2", SECOND, series="1.2.1", slices=4)

    assert series_pair(db, "1.2", "1.1") == ("1.2.1", "1.1.2")


def test_scouts_come_last_and_a_study_without_images_has_no_pair(db, receive):
    scout = {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}
    receive("1.1", FIRST, series="1.1.1", slices=8, **scout)
    receive("1.1", FIRST, series="1.1.2", slices=2)
    receive("1.2", SECOND, series="1.2.1", slices=8, **scout)
    receive("1.2", SECOND, series="1.2.2", slices=3, SeriesDescription="lung")
    receive("1.3", SECOND, Modality="SR")

    assert series_pair(db, "1.2", "1.1") == ("1.2.2", "1.1.2")
    assert series_pair(db, "1.2", "1.3") is None
