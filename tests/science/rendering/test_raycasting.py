"""Pictures of a phantom in which every side can be told from the others."""

import numpy as np
import pytest

from sightline.science.geometry import Grid
from sightline.science.rendering import (
    LOOKS,
    BadView,
    Box,
    Camera,
    HalfSpace,
    LookNotUsable,
    apply_window,
    reduced,
    render_volume,
)

AXES = (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0)
HEAD_FIRST = (1.0, 0, 0, 0, 1.0, 0, 0, 0, -1.0)


def body(*, flipped: bool = False) -> tuple[np.ndarray, Grid]:
    """Air with four cubes of bone: at the left, at the head, in front (small), and at the left behind."""
    grid = Grid((40, 40, 40), (2.0, 2.0, 2.0), (-39.0, -39.0, -39.0), AXES)
    if flipped:
        grid = Grid((40, 40, 40), (2.0, 2.0, 2.0), (-39.0, -39.0, 39.0), HEAD_FIRST)
    places = grid.to_lps_mm(np.indices(grid.shape_zyx).reshape(3, -1).T).reshape(*grid.shape_zyx, 3)
    array = np.full(grid.shape_zyx, -1000, np.int16)
    for at, half in (((24, 0, 0), 8), ((0, 0, 28), 6), ((0, -30, 0), 4)):
        array[(np.abs(places - np.array(at)) <= half).all(axis=-1)] = 1000
    return array, grid


def weights(picture: np.ndarray) -> dict[str, float]:
    """How much is seen in each half of the picture."""
    grey = picture.astype(float).sum(axis=2)
    down, right = (np.array(grey.shape) // 2).tolist()
    total = grey.sum()
    return {
        "left": grey[:, :right].sum() / total, "right": grey[:, right:].sum() / total,
        "up": grey[:down].sum() / total, "down": grey[down:].sum() / total,
    }  # fmt: skip


def picture_of(array, grid, look="bone", crop=None, cut=None, **camera):
    small, coarse = reduced(array, grid)
    seen = Camera(columns=96, rows=96, **camera)
    return render_volume(small, coarse, LOOKS[look], seen, is_hu=True, crop=crop, cut=cut)


def left_cube(crop_low=(10, -20, -15), crop_high=(39, 20, 15)) -> Box:
    return Box(crop_low, crop_high)


@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize(
    ("azimuth", "side"), [(0, "right"), (180, "left")], ids=["from the front", "from the back"]
)
def test_the_patients_left_is_on_the_right_from_the_front_and_on_the_left_from_the_back(
    flipped, azimuth, side
):
    array, grid = body(flipped=flipped)
    seen = picture_of(array, grid, crop=left_cube(), azimuth_deg=azimuth)

    assert weights(seen)[side] > 0.9


@pytest.mark.parametrize("flipped", [False, True])
def test_the_head_is_up(flipped):
    array, grid = body(flipped=flipped)
    seen = picture_of(array, grid, crop=Box((-10, -10, 15), (10, 10, 39)))

    assert weights(seen)["up"] > 0.9


def test_from_the_left_the_front_is_on_the_left_and_from_above_it_is_down():
    array, grid = body()
    front = Box((-10, -39, -10), (10, -20, 10))

    assert weights(picture_of(array, grid, crop=front, azimuth_deg=90))["left"] > 0.9
    assert weights(picture_of(array, grid, crop=front, elevation_deg=90))["down"] > 0.9


def test_the_heart_is_where_a_reader_expects_it():
    """A made-up chest: a dense ball left of the middle, seen from the front, stands on the right."""
    array, grid = body()
    heart = np.full_like(array, -1000)
    heart[14:26, 10:24, 22:32] = 300  # x above the middle is the patient's left
    seen = picture_of(heart, grid, look="mip")

    assert weights(seen)["right"] > 0.8


def test_what_is_in_front_hides_what_is_behind():
    array, grid = body()
    hidden = np.full_like(array, -1000)
    hidden[15:25, 5:10, 15:25] = 1500
    hidden[[0, -1], [0, -1], [0, -1]] = 1500  # so that both are shown in the same size
    alone = picture_of(hidden, grid)
    hidden[18:22, 30:35, 18:22] = 3000
    both = picture_of(hidden, grid)

    assert np.abs(alone.astype(int) - both.astype(int)).mean() < 6


def test_cropping_leaves_out_and_zoom_enlarges():
    array, grid = body()
    everything, cropped = picture_of(array, grid), picture_of(array, grid, crop=left_cube())
    near = picture_of(array, grid, crop=left_cube(), zoom=2)

    assert 0 < (cropped > 30).sum() < (everything > 30).sum()
    assert not picture_of(array, grid, crop=Box((30, 30, 30), (39, 39, 39))).any()
    assert near.shape == (96, 96, 3)


def test_a_cut_keeps_what_lies_behind_its_plane_whatever_way_it_faces():
    array, grid = body()
    half = np.sqrt(0.5)

    assert weights(picture_of(array, grid, cut=HalfSpace((1, 0, 0), 5)))["right"] > 0.9
    assert weights(picture_of(array, grid, cut=HalfSpace((-1, 0, 0), 5)))["left"] > 0.9
    assert weights(picture_of(array, grid, cut=HalfSpace((0, 0, 1), 5)))["up"] > 0.7
    assert weights(picture_of(array, grid, cut=HalfSpace((0, 0, -1), 5)))["down"] > 0.9
    slanted = weights(picture_of(array, grid, cut=HalfSpace((half, 0, -half), 5)))
    assert min(slanted["right"], slanted["down"]) > 0.9
    with pytest.raises(BadView):
        HalfSpace((2, 0, 0), 5)


@pytest.mark.parametrize("look", sorted(LOOKS))
def test_every_look_shows_something_of_a_body(look):
    array, grid = body()
    inside = np.full_like(array, -1000)
    inside[5:35, 5:35, 5:35] = 40
    inside[10:30, 10:30, 8:18] = -800
    inside[14:26, 14:26, 18:26] = 250
    assert picture_of(inside, grid, look=look).max() > 40


def test_looks_that_need_hounsfield_units_are_refused_for_others():
    array, grid = body()
    small, coarse = reduced(array, grid)

    with pytest.raises(LookNotUsable, match="mip"):
        render_volume(small, coarse, LOOKS["bone"], Camera(), is_hu=False)
    assert render_volume(small, coarse, LOOKS["generic"], Camera(columns=32, rows=32), is_hu=False).any()


@pytest.mark.parametrize(
    "wrong", [{"elevation_deg": 91}, {"zoom": 0}, {"columns": 4000}, {"azimuth_deg": np.nan}]
)
def test_views_that_cannot_be_are_refused(wrong):
    with pytest.raises(BadView):
        Camera(**wrong)


def test_a_window_without_width_is_refused():
    with pytest.raises(BadView):
        apply_window(np.zeros((2, 2)), 40, 0)
