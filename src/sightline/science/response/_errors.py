"""What cannot be evaluated at all, whichever the criterion.

UnusableCourse            the input contradicts itself or cannot be true
├── ImpossibleMeasurement   not a number, negative, or an interval that does not hold its value
├── WrongUnit               a unit that the quantity is never given in here
├── UnknownWord             a state, role or finding that is none of those understood
├── MixedUnits              one quantity in two units
├── UnorderedTimePoints     dates run backwards, or two time points share one
└── BrokenReference         a name that leads nowhere, to two things, or in a circle
"""

from sightline.kernel.errors import Invalid, NotFound


class UnusableCourse(Invalid):
    """The measurements of this patient contradict each other; correct them and evaluate again."""


class ImpossibleMeasurement(UnusableCourse):
    """A size cannot be negative, infinite or not a number; measure again."""


class WrongUnit(UnusableCourse):
    """The quantity is not given in this unit; convert it first."""


class UnknownWord(UnusableCourse):
    """A state, role or clinical finding is not one of the words understood; the message lists them."""


class MixedUnits(UnusableCourse):
    """One quantity comes in two units; convert one of them."""


class UnorderedTimePoints(UnusableCourse):
    """Time points must be in the order of their dates, one for each date."""


class BrokenReference(UnusableCourse):
    """A lesion or time point is named that is not there, named twice, or leads back to itself; correct it."""


class UnknownCriterion(NotFound):
    """There is no criterion of this name; `criteria()` lists them."""


class InvalidCriterion(Invalid):
    """The description of a criterion is not complete or not consistent; correct the file."""
