"""What clinical state and steroids do to a category that the images give (RANO, RANO-BM)."""

from dataclasses import replace

from sightline.science.response._criteria import Clinical, Criterion
from sightline.science.response._model import Course, TimePoint
from sightline.science.response._points import Said

RESPONSES = ("CR", "PR", "MR")


def weigh_clinic(course: Course, criterion: Criterion, index: int, said: Said) -> Said:
    """Return the category with clinical state and steroids taken in, where the criterion asks for them."""
    if criterion.clinical is None:
        return said
    point = course.time_points[index]
    if point.clinical == "worse" and said.category != "PD":
        reason = criterion.reason("clinical", "clinical state worse, steroids apart", "progression")
        return replace(said, category="PD", reasons=(*said.reasons, reason))
    said = _weigh_steroids(criterion, criterion.clinical, point, said)
    return _require_state(criterion, criterion.clinical, point, said)


def _weigh_steroids(criterion: Criterion, clinical: Clinical, point: TimePoint, said: Said) -> Said:
    if point.steroids == "more":
        becomes = clinical.more_steroids.get(said.category, said.category)
        outcome = f"{criterion.called(becomes)}; more steroids alone are no progression, observe"
        reason = criterion.reason(
            "steroids", f"steroids more, images {criterion.called(said.category)}", outcome
        )
        return replace(said, category=becomes, reasons=(*said.reasons, reason))
    needs_none = said.category == "CR" and point.steroids is not None
    if needs_none and point.steroids not in clinical.complete_steroids:
        reason = criterion.reason("steroids", f"images CR, steroids {point.steroids}", "PR; CR needs none")
        return replace(said, category="PR", reasons=(*said.reasons, reason))
    return said


def _require_state(criterion: Criterion, clinical: Clinical, point: TimePoint, said: Said) -> Said:
    """Refuse to call a response whose conditions are not told."""
    if said.category not in RESPONSES:
        return said
    unknown = [
        name
        for name, value in (("clinical state", point.clinical), ("steroids", point.steroids))
        if value is None
    ]
    if not unknown:
        compared = f"clinical state {point.clinical}, steroids {point.steroids}"
        return replace(
            said, reasons=(*said.reasons, criterion.reason("clinical", compared, "response may be called"))
        )
    compared = f"images {criterion.called(said.category)}, {' and '.join(unknown)} not told"
    reason = criterion.reason("clinical", compared, "cannot tell")
    return replace(said, category="NE", reasons=(*said.reasons, reason))
