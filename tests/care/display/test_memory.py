"""Volumes are kept within bounds, made once, and made again when the series has grown."""

import threading

import pytest

from sightline.care import display
from sightline.care.display import DisplaySettings, Shelf, TooBusy, Turns
from sightline.science import rendering, volumes
from tests.care.display.conftest import CT, SLICES, STUDY


def through(z_mm: float) -> rendering.Plane:
    return rendering.Plane.through((15, 15, z_mm), (1, 0, 0), (0, 1, 0), mm_per_pixel=2, columns=4, rows=4)


def cut(on, z_mm, by):
    return display.cut(on, STUDY, CT, through(z_mm), rendering.Slab(), by=by).values


def test_what_was_not_asked_for_longest_goes_first():
    shelf = Shelf(100)
    for key in "abac":
        shelf.get(key, lambda key=key: key, lambda _: 40)

    made = []
    for key in "acb":
        shelf.get(key, lambda key=key: made.append(key), lambda _: 40)
    assert made == ["b"]
    assert shelf.size <= 100


def test_what_is_larger_than_the_shelf_is_made_and_not_kept():
    shelf = Shelf(100)

    assert [shelf.get("a", lambda: 7, lambda _: 101) for _ in range(2)] == [7, 7]
    assert shelf.size == 0


def test_what_several_ask_for_at_once_is_made_once():
    shelf, made, begun, go = Shelf(100), [], threading.Event(), threading.Event()

    def make():
        begun.set()
        go.wait(10)
        made.append(1)
        return "made"

    asking = [threading.Thread(target=shelf.get, args=("a", make, lambda _: 1)) for _ in range(4)]
    for thread in asking:
        thread.start()
    begun.wait(10)
    go.set()
    for thread in asking:
        thread.join(10)
    assert made == [1]


def test_a_failure_is_not_kept_and_the_next_who_asks_tries_again():
    shelf, tries = Shelf(100), []

    def fail():
        tries.append(1)
        raise ValueError("no")

    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            shelf.get("a", fail, lambda _: 1)
    assert len(tries) == 2


@pytest.mark.usefixtures("reads")
def test_a_series_that_grew_is_put_together_again(study, store, receive, radiologist):
    on = display.open_context(store, DisplaySettings())
    above = 5.0 * (SLICES + 1)
    before = cut(on, above, radiologist)
    receive(STUDY, slices=SLICES + 1)

    assert (before == -1000 + 1).all()  # outside: the least value
    assert (cut(on, above, radiologist) > -1000 + SLICES).all()


@pytest.mark.usefixtures("reads")
def test_a_series_that_is_too_large_is_refused_before_it_is_read(study, store, radiologist):
    settings = DisplaySettings().model_copy(update={"max_volume_mib": 0})

    with pytest.raises(volumes.TooLarge, match="SIGHTLINE_DISPLAY_MAX_VOLUME_MIB"):
        cut(display.open_context(store, settings), 15, radiologist)


def test_who_comes_when_too_many_wait_is_asked_to_come_again():
    turns, go, begun = Turns(at_once=1, waiting=1), threading.Event(), threading.Event()

    def compute():
        with turns.taken():
            begun.set()
            go.wait(10)

    first = threading.Thread(target=compute)
    first.start()
    begun.wait(10)
    with turns._places, pytest.raises(TooBusy, match="again"), turns.taken():  # one waits
        pass
    go.set()
    first.join(10)
    with turns.taken():
        pass
