"""Studies out of the house."""

import io
import zipfile

import nibabel
import numpy as np
import pytest
from pydicom import dcmread
from pydicom.fileset import FileSet

from sightline.record import archive
from sightline.trust import access, audit
from sightline.wire import media

SERIES = {"PixelSpacing": [0.5, 0.7], "SliceThickness": 5, "RescaleSlope": 2, "RescaleIntercept": -1000}


@pytest.fixture
def radiologist():
    return access.Person("p1", "Dr Ada", "ada", frozenset({"radiologist"}), "main")


@pytest.fixture
def export(store, take, make_slice, radiologist):
    """Take the study out as a ZIP: two series, one of four slices and one of a single image."""
    take(*(make_slice(n, **SERIES) for n in (1, 2, 3, 4)), make_slice(9, series="1.2.3.2", SeriesNumber=2))

    def export(form):
        pieces = media.zipped(media.export_study(store, "1.2.3", form, by=radiologist))
        return zipfile.ZipFile(io.BytesIO(b"".join(pieces)))

    return export


def test_a_zip_holds_the_objects_as_they_are_given_out(export, make_slice):
    taken = export("zip")

    assert taken.testzip() is None
    assert taken.namelist() == [*(f"series-001/{n:06d}.dcm" for n in (1, 2, 3, 4)), "series-002/000001.dcm"]
    assert {taken.read(n) for n in taken.namelist()[:4]} == {make_slice(n, **SERIES) for n in (1, 2, 3, 4)}


def test_a_medium_is_read_by_its_directory(export, tmp_path):
    export("dicomdir").extractall(tmp_path / "cd")

    medium = FileSet(dcmread(tmp_path / "cd" / "DICOMDIR"))

    assert len(medium) == 5
    assert {m.load().SOPInstanceUID for m in medium} == {
        *(f"1.2.3.1.{n}" for n in (1, 2, 3, 4)),
        "1.2.3.2.9",
    }
    assert all("ller" not in str(m.path) for m in medium)


def test_a_corrected_study_goes_on_a_medium_as_it_was_corrected(export, store, tmp_path):
    with store.database.transaction() as db:
        archive.edit_study(
            db, "1.2.3", {"StudyDescription": "Corrected"}, reason="test", by=access.operator("tester")
        )

    export("dicomdir").extractall(tmp_path / "cd")

    medium = FileSet(dcmread(tmp_path / "cd" / "DICOMDIR"))
    assert {m.load().StudyDescription for m in medium} == {"Corrected"}


def test_nifti_has_values_after_rescale_in_patient_space(export, tmp_path):
    taken = export("nifti")
    taken.extractall(tmp_path)

    image = nibabel.load(tmp_path / "series-001.nii.gz")

    assert taken.namelist() == ["series-001.nii.gz", "NOT-VOLUMES.txt"]
    assert image.shape == (16, 16, 4)
    assert image.get_fdata()[0, 0, -1] == 1 * 2 - 1000
    # From LPS to RAS: x and y change sign (NIfTI-1, method 3).
    np.testing.assert_allclose(np.diag(image.affine), [-0.7, -0.5, 5, 1], atol=1e-5)
    assert taken.read("NOT-VOLUMES.txt").decode().startswith("series-002: ")


def test_who_may_not_export_gets_nothing_and_the_export_is_in_the_trail(store, export, take, make_slice):
    referrer = access.Person("p9", "Eve", "eve", frozenset({"referrer"}), "main")

    with pytest.raises(access.NotAllowed):
        media.export_study(store, "1.2.3", "zip", by=referrer)
    export("zip")

    with store.database.reading() as db:
        acts = [e.act for e in audit.trail(db, on="1.2.3")]
    assert acts.count("media.export") == 1


def test_a_study_that_is_not_held_cannot_be_exported(store, radiologist):
    with pytest.raises(archive.StudyNotHeld):
        media.export_study(store, "1.2.9", "zip", by=radiologist)
