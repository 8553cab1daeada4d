"""One object in the viewer against the reference: right, or wrong and in what way."""

import warnings
from dataclasses import dataclass

from pydicom import Dataset

from tests.pictures.comparing import Difference, compare
from tests.pictures.files import Held
from tests.pictures.looking import Looker, NothingShown, View
from tests.pictures.reference import Picture, expected, good_window

# In levels of 255: rounding to 8 bit and the eighth bit of a texture's interpolation, no more.
MEAN, P99 = 1.0, 6.0

# What the viewer shows wrongly today, and why; what is shown rightly again must be taken off the list.
KNOWN = {
    "test_files/SC_rgb_small_odd_big_endian.dcm": "big-endian words of 8-bit samples stay turned round",
}


@dataclass(frozen=True)
class Verdict:
    """Whether an object is shown rightly, in words, and the difference where there is one."""

    right: bool
    words: str
    difference: Difference | None = None

    def __str__(self) -> str:
        return self.words


def judge(looker: Looker, held: Held) -> Verdict:
    """Open an object's study and compare its middle frame, or see that the pane says why it is not shown."""
    try:
        view = looker.open(held.study_uid)
        if view.state == "failed":
            return _unshown(held.dataset, view.reason)
        return _compared(looker, held.dataset, view)
    except NothingShown as nothing:
        return Verdict(False, str(nothing))


def _compared(looker: Looker, dataset: Dataset, view: View) -> Verdict:
    frame = view.count // 2
    picture = wanted(dataset, frame)
    if picture is None:
        return Verdict(True, "shown; the reference cannot decode it")
    window = good_window(picture.values) if picture.values.ndim == 2 else None
    view = looker.show(frame, window)
    if view.state == "failed":
        return _unshown(dataset, view.reason)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # The order of the series is the viewer's; the frame is its own.
        difference = compare(looker.shown(dataset), expected(dataset, view.frame - 1, window))
    right = difference.mean <= MEAN and difference.p99 <= P99
    kind = dataset.PhotometricInterpretation
    words = f"{kind} frame {view.frame} of {view.count}: mean {difference.mean:.2f}, p99 {difference.p99:.1f}"
    return Verdict(right, words, difference)


def wanted(dataset: Dataset, frame: int) -> Picture | None:
    """Return what is wanted of a frame; None where the reference cannot decode it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return expected(dataset, frame)
        except (ValueError, AttributeError, KeyError, RuntimeError, NotImplementedError, IndexError):
            return None


def _unshown(dataset: Dataset, reason: str) -> Verdict:
    if not reason:
        return Verdict(False, "not shown, and nothing says why")
    if "decoded" in reason and wanted(dataset, 0) is not None:
        return Verdict(False, f"not shown though it can be decoded: {reason}")
    return Verdict(True, f"not shown: {reason}")
