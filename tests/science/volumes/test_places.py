"""Where images lie, told from headers without pixels."""

import pytest
from pydicom import Dataset

from sightline.science import volumes


def header(number: int, **changed) -> Dataset:
    ds = Dataset()
    ds.SOPInstanceUID, ds.Rows, ds.Columns = f"1.2.{number}", 8, 10
    ds.ImagePositionPatient, ds.ImageOrientationPatient = [1, 2, -3.0 * number], [1, 0, 0, 0, 1, 0]
    ds.PixelSpacing = [0.8, 0.7]
    for name, value in changed.items():
        setattr(ds, name, value)
    return ds


def enhanced() -> Dataset:
    ds, shared, orientation, measures = Dataset(), Dataset(), Dataset(), Dataset()
    ds.SOPInstanceUID, ds.Rows, ds.Columns, ds.NumberOfFrames = "1.2", 8, 10, 3
    orientation.ImageOrientationPatient, measures.PixelSpacing = [0, 1, 0, 0, 0, -1], [0.8, 0.7]
    shared.PlaneOrientationSequence, shared.PixelMeasuresSequence = [orientation], [measures]
    ds.SharedFunctionalGroupsSequence = [shared]
    ds.PerFrameFunctionalGroupsSequence = []
    for x in (4.0, 0.0, 2.0):
        groups, position = Dataset(), Dataset()
        position.ImagePositionPatient = [x, 0, 0]
        groups.PlanePositionSequence = [position]
        ds.PerFrameFunctionalGroupsSequence.append(groups)
    return ds


def test_images_stand_along_their_normal_with_steps_in_mm():
    planes = volumes.place_images([header(n) for n in (2, 0, 1)])

    assert [plane.sop_uid for plane in planes] == ["1.2.2", "1.2.1", "1.2.0"]
    assert (planes[0].right_mm, planes[0].down_mm) == ((0.7, 0, 0), (0, 0.8, 0))
    assert (planes[0].rows, planes[0].columns, planes[0].origin_lps_mm) == (8, 10, (1, 2, -6))


def test_frames_of_an_enhanced_image_stand_along_its_normal():
    planes = volumes.place_images([enhanced()])

    # Rows run to the back and columns to the feet, so the normal looks to the patient's right.
    assert [(plane.frame, plane.origin_lps_mm[0]) for plane in planes] == [(1, 4), (3, 2), (2, 0)]
    assert planes[0].down_mm == (0, 0, -0.8)


def test_images_that_look_elsewhere_or_leave_holes_are_placed_too():
    there = header(9, ImageOrientationPatient=[0, 1, 0, 0, 0, -1])

    assert len(volumes.place_images([header(0), header(1), header(7), there])) == 4


@pytest.mark.parametrize("wrong", [{"ImagePositionPatient": None}, {"PixelSpacing": [0, 1]}, {"Rows": 0}])
def test_images_that_do_not_say_where_they_lie_are_refused(wrong):
    with pytest.raises(volumes.MissingGeometry):
        volumes.place_images([header(0), header(1, **wrong)])
    with pytest.raises(volumes.MissingGeometry):
        volumes.place_images([])
