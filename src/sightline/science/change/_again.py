"""A second look: what links call new or vanished is sought in the images of the other date."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sightline.science.alignment import Alignment
from sightline.science.change._links import LEAST_GATE_MM, MOST_GATE_MM, link_lesions
from sightline.science.change._model import Link
from sightline.science.geometry import Floats
from sightline.science.segmentation import Lesion, Mask, find_lesions_near, likeness_at
from sightline.science.volumes import Volume

LIKELY = 0.5
"""Of a lesion's own response at its place in the other scan, from which it cannot be said to be absent."""

SEEN_THERE = (
    "Something like it lies at this place in the {other} study, though nothing was found there; please look."
)
NOT_ABSENT = (
    "Something bright lies at this place in the {other} study, whose slices are too thick to tell what; "
    "please look."
)


def look_again(
    links: Sequence[Link],
    now: Sequence[Lesion],
    then: Sequence[Lesion],
    current: Volume,
    prior: Volume,
    alignment: Alignment,
) -> tuple[Link, ...]:
    """Return the links, of which "new" and "vanished" are left only where the other scan shows nothing alike.

    Whoever sought the lesions at the two dates may have missed one at either. What is already known at the
    other date, and was not linked, does not count: it is another lesion.

    Parameters
    ----------
    links
        From `link_lesions` of the lesions `now` and `then`.
    current, prior
        CT in HU; of other volumes the links stay as they are. What is sought is brighter than its
        surroundings, as nodules of the lungs are.
    """
    if current.unit != "HU" or prior.unit != "HU":
        return tuple(links)
    return tuple(_again(link, now, then, current, prior, alignment) for link in links)


def _again(
    link: Link,
    now: Sequence[Lesion],
    then: Sequence[Lesion],
    current: Volume,
    prior: Volume,
    alignment: Alignment,
) -> Link:
    if link.kind == "new" and link.current is not None:
        other, lesion, known = "prior", now[link.current], then
        seen_in, sought_in = current, prior
        place, error_mm = _carried(lesion, alignment)
    elif link.kind == "vanished" and link.prior is not None:
        other, lesion, known = "current", then[link.prior], now
        seen_in, sought_in = prior, current
        place = alignment.inverse_points(lesion.centre_lps_mm)[0]
        error_mm = float(alignment.local_error_mm(place)[0])
    else:
        return link
    there = _near(lesion, seen_in, sought_in, place, error_mm)
    alike = [one for one in there if not _is_one_of(one, known)]
    ends = ([lesion], alike) if other == "prior" else (alike, [lesion])
    if any(one.kind in ("linked", "ambiguous") for one in link_lesions(*ends, alignment, prior.grid)):
        return replace(link, kind="ambiguous", reason=SEEN_THERE.format(other=other))
    if _may_hide(lesion, seen_in, sought_in, place, error_mm):
        return replace(link, kind="ambiguous", reason=NOT_ABSENT.format(other=other))
    return link


def counterparts(
    lesion: Lesion, current: Volume, prior: Volume, alignment: Alignment, lungs: Mask | None = None
) -> tuple[Lesion, ...]:
    """Return what looks like a lesion of the current scan round its place in the prior one."""
    place, error_mm = _carried(lesion, alignment)
    return _near(lesion, current, prior, place, error_mm, lungs)


def is_doubtful(lesion: Lesion, current: Volume, prior: Volume, alignment: Alignment) -> bool:
    """Tell whether a lesion of the current scan may lie hidden between thick slices of the prior one."""
    return _may_hide(lesion, current, prior, *_carried(lesion, alignment))


def _carried(lesion: Lesion, alignment: Alignment) -> tuple[Floats, float]:
    """Return where a lesion of the current scan lies in the prior one, and how far that may be off (mm)."""
    at = lesion.centre_lps_mm
    return alignment.map_points(at)[0], float(alignment.local_error_mm(at)[0])


def _may_hide(lesion: Lesion, seen_in: Volume, volume: Volume, place: Floats, error_mm: float) -> bool:
    slices_mm = volume.grid.spacing_xyz_mm[2]
    if slices_mm <= lesion.diameter_mm / 2 or not volume.grid.contains(place)[0]:
        return False
    reach_mm = error_mm + slices_mm / 2
    return likeness_at(volume, place, like=lesion, seen_in=seen_in, reach_mm=reach_mm) >= LIKELY


def _near(
    lesion: Lesion,
    seen_in: Volume,
    volume: Volume,
    place: Floats,
    error_mm: float,
    lungs: Mask | None = None,
) -> tuple[Lesion, ...]:
    if not volume.grid.contains(place)[0]:
        return ()
    room_mm = min(max(LEAST_GATE_MM, lesion.diameter_mm / 2 + 3 * error_mm), MOST_GATE_MM)
    return find_lesions_near(volume, place, like=lesion, seen_in=seen_in, room_mm=room_mm, lungs=lungs)


def _is_one_of(one: Lesion, known: Sequence[Lesion]) -> bool:
    return any(
        np.linalg.norm(np.subtract(one.centre_lps_mm, other.centre_lps_mm))
        <= max(one.diameter_mm, other.diameter_mm) / 2
        for other in known
    )
