"""Lesions that a person points at in the current volume, followed into the prior one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from sightline.science.alignment import Alignment
from sightline.science.change._again import NOT_ABSENT, counterparts, is_doubtful
from sightline.science.change._growth import UNPROVEN, growth, unproven
from sightline.science.change._links import LEAST_GATE_MM, link_lesions
from sightline.science.change._model import Growth, Link
from sightline.science.geometry import Floats
from sightline.science.segmentation import (
    ClickSegment,
    Lesion,
    LungsNotFound,
    Mask,
    NoLesionHere,
    lies_in_lung,
    segment_click,
    segment_lesion_at,
    segment_lungs,
)
from sightline.science.volumes import Volume


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """One lesion at two dates, None where it was not found; how the two were linked; what became of it."""

    current: Lesion | ClickSegment | None
    prior: Lesion | ClickSegment | None
    link: Link
    growth: Growth


MOST_RATIO = 20.0
"""What differs by more in volume is not taken for the same lesion."""


def follow_points(
    current: Volume,
    prior: Volume,
    alignment: Alignment,
    points_lps_mm: Sequence[npt.ArrayLike],
    *,
    days: float,
    differs: Sequence[str] | None = None,
) -> tuple[Followed, ...]:
    """Return what became of the lesions at some points of the current volume since the prior one.

    Each lesion is cut out at its point, sought in the prior volume round the place that the alignment gives,
    linked as `link_lesions` does and judged as `growth` does. What is no bright nodule of a CT, and all of MR
    and PET, is cut out by `segment_click` at both places: sizes and their difference are given, but no
    change is claimed. Nothing is compared where the alignment failed or nothing stands out at the point; the
    reason says so.

    Parameters
    ----------
    current, prior
        CT in HU, or two volumes of one other unit.
    alignment
        From `align(current, prior)`.
    points_lps_mm
        Points in lesions of the current volume.
    days
        Time between the two.
    differs
        What `protocol_differences` tells of their headers; None: whether their kernels differ.

    Examples
    --------
    A nodule in even lung that was 8 mm and is 12 mm now, with a map that moves nothing:

    >>> import numpy as np
    >>> from sightline.science import alignment, simulation
    >>> from sightline.science.geometry import Grid
    >>> grid = Grid((60, 60, 60), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    >>> lung = Volume(np.full(grid.shape_zyx, -850, dtype=np.int16), grid)
    >>> prior, current = (simulation.insert_nodule(lung, (30, 30, 30), mm) for mm in (8.0, 12.0))
    >>> nowhere, error = np.zeros((*grid.shape_zyx, 3), "f4"), np.ones(grid.shape_zyx, "f4")
    >>> still = alignment.Alignment("good", "", (), grid, nowhere, error, "none")
    >>> [one] = follow_points(current, prior, still, [(31, 30, 30)], days=90)
    >>> one.link.kind, one.growth.kind
    ('linked', 'grown')
    """
    if current.unit != prior.unit:
        why = (
            f"The two scans are in different units ({current.unit} now, {prior.unit} then): what stands out "
            "in one says nothing of the other. Choose a prior of the same modality."
        )
        return tuple(Followed(None, None, _unlinked(why), _unknown(why)) for _ in points_lps_mm)
    if differs is None:
        differs = () if current.kernel == prior.kernel else ("kernel",)
    pair = _Pair(current, prior, alignment, differs)
    return tuple(_follow(pair, point, days) for point in points_lps_mm)


@dataclass
class _Pair:
    """Two aligned volumes; the lungs of each are sought only where a lesion has no border without them."""

    current: Volume
    prior: Volume
    alignment: Alignment
    differs: Sequence[str]

    @cached_property
    def current_lungs(self) -> Mask | None:
        return _lungs(self.current)

    @cached_property
    def prior_lungs(self) -> Mask | None:
        return _lungs(self.prior)


def _lungs(volume: Volume) -> Mask | None:
    try:
        return segment_lungs(volume)
    except LungsNotFound:
        return None


def _follow(pair: _Pair, point: npt.ArrayLike, days: float) -> Followed:
    current, prior, alignment = pair.current, pair.prior, pair.alignment
    now = _lesion_at(pair, point) if current.unit == "HU" else None
    if now is None:
        return _follow_click(current, prior, alignment, point)
    link, then = _linked(pair, now)
    if link.kind not in ("linked", "new"):
        return Followed(now, then, link, _unknown(link.reason))
    grown = growth(
        then,
        now,
        days=days,
        slice_thickness_mm=max(current.thickness_mm, prior.thickness_mm),
        differs=pair.differs,
        lung_nodule=lies_in_lung(current, now.centre_lps_mm),
    )
    return Followed(now, then, link, grown)


def _lesion_at(pair: _Pair, point: npt.ArrayLike) -> Lesion | None:
    try:
        return segment_lesion_at(pair.current, point)
    except NoLesionHere:
        pass
    try:
        lungs = pair.current_lungs
        return None if lungs is None else segment_lesion_at(pair.current, point, lungs=lungs)
    except NoLesionHere:
        return None


def _linked(pair: _Pair, now: Lesion) -> tuple[Link, Lesion | None]:
    """Return the link of a lesion, and what it was; what seems new is sought once more inside the lungs.

    A lesion at the wall of the chest may have had no border of its own in the prior volume.
    """
    candidates: tuple[Lesion, ...] = ()
    if pair.alignment.verdict != "failed":
        candidates = _candidates(pair, now, None)
    link = _link(pair, now, candidates)
    if link.kind == "new" and pair.prior_lungs is not None:
        candidates = _candidates(pair, now, pair.prior_lungs)
        link = _link(pair, now, candidates)
    if link.kind == "new" and is_doubtful(now, pair.current, pair.prior, pair.alignment):
        link = replace(link, kind="ambiguous", reason=NOT_ABSENT.format(other="prior"))
    return link, None if link.prior is None else candidates[link.prior]


def _link(pair: _Pair, now: Lesion, candidates: Sequence[Lesion]) -> Link:
    links = link_lesions([now], candidates, pair.alignment, pair.prior.grid)
    return next(one for one in links if one.current == 0)


def _follow_click(current: Volume, prior: Volume, alignment: Alignment, point: npt.ArrayLike) -> Followed:
    """Follow what stands out at a point of any volume by one click at each date."""
    try:
        now = segment_click(current, point)
    except NoLesionHere as refusal:
        return Followed(None, None, _unlinked(str(refusal)), _unknown(str(refusal)))
    if alignment.verdict == "failed":
        why = f"Not compared, because the alignment failed: {alignment.reason}"
        return Followed(now, None, _unlinked(why), _unknown(why))
    place = alignment.map_points(now.centre_lps_mm)[0]
    if not prior.grid.contains(place)[0]:
        why = "The prior study does not show this place."
        return Followed(now, None, _unlinked(why), _unknown(why))
    try:
        then = segment_click(prior, place, diameter_mm=now.long_axis.value)
    except NoLesionHere:
        why = "Nothing stands out by one click at this place of the prior study; look there."
        return Followed(now, None, Link(0, None, "ambiguous", 1.0, why), _unknown(why))
    return _compared_clicks(now, then, place)


def _compared_clicks(now: ClickSegment, then: ClickSegment, place: Floats) -> Followed:
    away = float(np.linalg.norm(place - np.array(then.centre_lps_mm)))
    ratio = now.volume.value / then.volume.value
    alike = away <= max(LEAST_GATE_MM, now.long_axis.value / 2) and 1 / MOST_RATIO < ratio < MOST_RATIO
    if not alike:
        why = f"What stands out in the prior study lies {away:.0f} mm away or is too unlike; please choose."
        return Followed(now, then, Link(0, 0, "ambiguous", 1.0, why), _unknown(why))
    cost = away / max(LEAST_GATE_MM, now.long_axis.value / 2)
    link = Link(0, 0, "linked", cost, f"Same place after alignment, {away:.1f} mm apart.")
    return Followed(now, then, link, unproven(float(np.log(ratio)), UNPROVEN))


def _unlinked(reason: str) -> Link:
    return Link(None, None, "not-covered", 1.0, reason)


def _candidates(pair: _Pair, now: Lesion, lungs: Mask | None) -> tuple[Lesion, ...]:
    return counterparts(now, pair.current, pair.prior, pair.alignment, lungs)


def _unknown(reason: str) -> Growth:
    return Growth("cannot-tell", None, None, reason)
