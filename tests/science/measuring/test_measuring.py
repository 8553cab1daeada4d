"""What is drawn is measured as geometry says."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.science import measuring

coordinate = st.floats(-500, 500).map(lambda v: round(v, 3))


@given(st.tuples(coordinate, coordinate), st.tuples(coordinate, coordinate))
def test_a_length_is_that_of_pythagoras(a, b):
    assert measuring.length([a, b]) == pytest.approx(math.dist(a, b))


@given(st.floats(0, 180))
def test_an_angle_is_the_one_that_was_drawn(degrees):
    ray = [math.cos(math.radians(degrees)), math.sin(math.radians(degrees))]

    assert measuring.angle_deg([[7, 0], [0, 0], ray]) == pytest.approx(degrees, abs=1e-9)


@given(st.floats(-90, 90), st.booleans())
def test_a_cobb_angle_does_not_depend_on_the_order_of_ends(degrees, turned):
    ray = np.array([math.cos(math.radians(degrees)), math.sin(math.radians(degrees))])
    second = [[10, 10], 10 + ray]
    points = [[0, 0], [5, 0], *(second[::-1] if turned else second)]

    assert measuring.lines_angle_deg(points) == pytest.approx(abs(degrees), abs=1e-9)


@given(st.floats(1, 100), st.floats(1, 100), st.floats(0, 2 * math.pi))
def test_a_turned_rectangle_keeps_area_and_perimeter_in_plane_and_in_space(width, height, turn):
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]])
    rotation = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    turned = corners @ rotation.T + 30
    in_space = np.column_stack([turned[:, 0], np.full(4, 5.0), turned[:, 1]])

    for points in (turned, in_space):
        assert measuring.polygon_area(points) == pytest.approx(width * height)
        assert measuring.polygon_perimeter(points) == pytest.approx(2 * (width + height))


def test_a_repeated_first_point_changes_nothing():
    open_ = [[0, 0], [4, 0], [4, 3]]

    assert measuring.polygon_area([*open_, open_[0]]) == measuring.polygon_area(open_) == 6
    assert measuring.polygon_perimeter([*open_, open_[0]]) == measuring.polygon_perimeter(open_) == 12


@given(st.floats(1, 50), st.floats(1, 50))
def test_an_ellipse_has_the_area_and_perimeter_of_a_polygon_of_many_corners(a, b):
    t = np.linspace(0, 2 * math.pi, 2000, endpoint=False)
    many = np.column_stack([a * np.cos(t), b * np.sin(t)])
    ends = [[-a, 0], [a, 0], [0, -b], [0, b]]

    assert measuring.ellipse_area(ends) == pytest.approx(measuring.polygon_area(many), rel=1e-4)
    assert measuring.ellipse_perimeter(ends) == pytest.approx(measuring.polygon_perimeter(many), rel=5e-3)


def test_axes_that_do_not_cross_are_no_ellipse():
    measuring.require_ellipse([[0, 0], [10, 0], [5, -2], [5, 2]])

    with pytest.raises(measuring.NotAnEllipse):
        measuring.require_ellipse([[0, 0], [10, 0], [9, -2], [9, 2]])
    with pytest.raises(measuring.NotAnEllipse):
        measuring.require_ellipse([[0, 0], [10, 0], [2, -3], [8, 3]])


def test_a_pixel_is_inside_when_its_centre_is():
    square = measuring.inside_polygon([[1, 1], [4, 1], [4, 3], [1, 3]], (5, 6))

    assert np.argwhere(square).tolist() == [[1, 1], [1, 2], [1, 3], [2, 1], [2, 2], [2, 3]]


# Worst of all axes, on a grid of 0.05: 8 % off from 5 pixels on, 4.2 % from 8 on.
@given(st.floats(8, 20), st.floats(8, 20))
def test_the_pixels_of_an_ellipse_fill_its_area(a, b):
    ends = [[32 - a, 32], [32 + a, 32], [32, 32 - b], [32, 32 + b]]
    mask = measuring.inside_ellipse(ends, (64, 64))

    assert mask.sum() == pytest.approx(measuring.ellipse_area(ends), rel=0.06)


def test_statistics_are_those_of_the_pixels_and_say_what_the_edge_could_change():
    values = np.zeros((10, 10))
    values[3:7, 3:7] = 100
    mask = np.zeros((10, 10), bool)
    mask[3:7, 3:7] = True
    found = measuring.statistics(values, mask)

    assert (found.count, found.mean, found.sd, found.min, found.max) == (16, 100, 0, 100, 100)
    assert found.low["min"] == 0
    assert found.high["mean"] == 100
    assert measuring.statistics(values, np.zeros((10, 10), bool)) is None


def test_the_farthest_points_of_an_outline_are_found():
    points, apart = measuring.extent([[0, 0], [3, 0], [3, 4], [0, 4]])

    assert apart == 5
    assert math.dist(*points) == 5
