"""What became of each lesion between two studies: by what persons said, else by alignment."""

import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Literal, cast

import numpy as np

from sightline.intelligence.routing._pair import Geometry, Pair
from sightline.kernel.dates import long_date
from sightline.kernel.quantities import Quantity
from sightline.record import findings, timeline
from sightline.record.findings import Finding, Identity, Statement
from sightline.runtime.blobs import Blobs
from sightline.science import alignment as aligning
from sightline.science import change as changing
from sightline.science.geometry import Grid
from sightline.science.segmentation import Lesion

NO_FIGURE = "For {modality} no repeatability of volumes is published that would tell growth from chance."
ELSEWHERE = "Measured in another series than the one that was aligned, so its slices were not compared."
NEEDED = frozenset({"volume", "long_axis", "short_axis"})
SAID = {
    Identity.SAME: "{by} said that it is the same lesion.",
    Identity.MERGED: "{by} said that {n} lesions became this one; it is compared with their sum.",
    Identity.SPLIT: "{by} said that one lesion became {n}; their sum is compared with it.",
}


def changes_of(
    blobs: Blobs,
    pair: Pair,
    held: Sequence[Finding],
    statements: Sequence[Statement],
    alignment: aligning.Alignment | str,
    geometry: Geometry | None,
) -> tuple[timeline.Change, ...]:
    """Return what became of each lesion of a pair; `held` are the current findings of the patient.

    What a person linked is taken as said, with or without an alignment; the others are linked by it, and
    never those that a person told apart.
    """
    sides = Sides.of(pair, held, statements)
    changes = [
        change
        for s in sides.linked
        for change in _said(
            s, [sides.then[i] for i in s.earlier], [sides.now[i] for i in s.later], pair, geometry
        )
    ]
    if isinstance(alignment, str) or geometry is None:
        return tuple(changes)
    seen = seen_again(blobs, pair)
    free = free_links(blobs, pair, sides, alignment, geometry)
    for link in free.links:
        alone = free.alone(link)
        reason = seen.get(alone.id, "") if alone else ""
        looked = replace(link, kind="ambiguous", reason=reason) if reason else link
        changes.append(_linked(looked, free.now, free.then, pair, geometry))
    return tuple(_told_apart(change, sides.apart) for change in changes)


@dataclass(frozen=True, slots=True)
class Sides:
    """The findings of both studies of a pair by id, and what persons said of them."""

    now: Mapping[str, Finding]
    then: Mapping[str, Finding]
    linked: Sequence[Statement]
    apart: Mapping[tuple[str, str], Statement]

    @classmethod
    def of(cls, pair: Pair, held: Sequence[Finding], statements: Sequence[Statement]) -> "Sides":
        """Return the sides of a pair; `held` are the current findings of the patient."""
        now, then = (
            {f.id: f for f in held if f.study_uid == uid and f.state is not findings.State.REJECTED}
            for uid in (pair.study_uid, pair.prior_uid)
        )
        said = [s for s in statements if now.keys() >= set(s.later) and then.keys() >= set(s.earlier)]
        linked = [s for s in said if s.identity is not Identity.DIFFERENT]
        apart = {ids: s for s in said if s.identity is Identity.DIFFERENT for ids in s.pairs}
        return cls(now, then, linked, apart)


@dataclass(frozen=True, slots=True)
class FreeLinks:
    """The findings of a pair that no person linked, as lesions too, and their links by alignment."""

    now: Sequence[Finding]
    then: Sequence[Finding]
    lesions: tuple[Sequence[Lesion], Sequence[Lesion]]
    links: Sequence[changing.Link]

    def alone(self, link: changing.Link) -> Finding | None:
        """Return the finding that a link calls new or vanished, None of other links."""
        if link.kind == "new" and link.current is not None:
            return self.now[link.current]
        if link.kind == "vanished" and link.prior is not None:
            return self.then[link.prior]
        return None


def free_links(
    blobs: Blobs,
    pair: Pair,
    sides: Sides,
    alignment: aligning.Alignment,
    geometry: Geometry,
) -> FreeLinks:
    """Return how alignment links the findings of a pair that no person linked."""
    taken = {i for s in sides.linked for i in (*s.earlier, *s.later)}
    now = [f for f in sides.now.values() if _comparable(f, pair.series_uid) and f.id not in taken]
    then = [f for f in sides.then.values() if _comparable(f, pair.prior_series_uid) and f.id not in taken]
    lesions = (
        [_lesion(f, geometry.current, blobs) for f in now],
        [_lesion(f, geometry.prior, blobs) for f in then],
    )
    pairs = [(i, j) for i in range(len(now)) for j in range(len(then))]
    apart = [(i, j) for i, j in pairs if (then[j].id, now[i].id) in sides.apart]
    links = changing.link_lesions(*lesions, alignment, geometry.prior, apart=apart)
    return FreeLinks(now, then, lesions, links)


def seen_again(blobs: Blobs, pair: Pair) -> dict[str, str]:
    """Return by finding why it is neither new nor vanished, empty of one that is; as `look_again` kept it."""
    key = seen_key(pair)
    return json.loads(blobs.get(key)) if blobs.head(key) is not None else {}


def seen_key(pair: Pair) -> str:
    """Return where is kept what a second look at the images of a pair showed."""
    return f"{pair.key}.seen.json"


def _comparable(finding: Finding, series_uid: str) -> bool:
    """Say whether a finding can be linked by alignment: a mask on the grid of the series that was aligned."""
    values = finding.values
    return (
        finding.series_uid == series_uid
        and finding.mask_key is not None
        and values.keys() >= NEEDED
        and values["volume"].value > 0
    )


def _linked(
    link: changing.Link, now: Sequence[Finding], then: Sequence[Finding], pair: Pair, geometry: Geometry
) -> timeline.Change:
    current = now[link.current] if link.current is not None else None
    prior = then[link.prior] if link.prior is not None else None
    if link.kind in ("not-covered", "ambiguous"):
        grown = changing.Growth("cannot-tell", None, None, link.reason)
    else:
        grown = _growth([prior] if prior else [], [current] if current else [], pair, geometry)
    change = _change(grown, current, prior, _text(grown, current or prior, pair.prior_date))
    return replace(change, linked=link.kind == "linked", link=link.kind)


def _said(
    statement: Statement,
    earlier: Sequence[Finding],
    later: Sequence[Finding],
    pair: Pair,
    geometry: Geometry | None,
) -> list[timeline.Change]:
    """Return the change of each later finding of what a person said."""
    grown = _growth(earlier, later, pair, geometry)
    count = max(len(earlier), len(later))
    words = SAID[statement.identity].format(by=statement.by_name, n=count)
    grown = replace(grown, reason=f"{words} {grown.reason}")
    prior = max(earlier, key=_size)
    return [
        replace(
            _change(grown, current, prior, _said_text(statement, grown, current, count, pair.prior_date)),
            linked=statement.identity is Identity.SAME,
            link="linked" if statement.identity is Identity.SAME else statement.identity.value,
            said=statement.identity.value,
            said_by=statement.by_name,
            statement=statement.id,
        )
        for current in later
    ]


def _told_apart(change: timeline.Change, apart: Mapping[tuple[str, str], Statement]) -> timeline.Change:
    """Return a change with the word of the person who said that its lesion is another one."""
    word = next((s for (_, later), s in apart.items() if later == change.current), None)
    if word is None or change.said:
        return change
    reason = change.reason
    if change.kind == "new":
        reason = f"{word.by_name} said that it is not the lesion that lay at this place in the prior study."
    return replace(change, reason=reason, said=word.identity.value, said_by=word.by_name, statement=word.id)


def _change(
    grown: changing.Growth, current: Finding | None, prior: Finding | None, text: str
) -> timeline.Change:
    percent = grown.percent
    doubling = grown.doubling_days if grown.kind == "grown" else None
    return timeline.Change(
        current=current.id if current else None,
        prior=prior.id if prior else None,
        kind=grown.kind,
        percent=percent.value if percent else None,
        low=percent.low if percent else None,
        high=percent.high if percent else None,
        doubling_days=doubling.value if doubling else None,
        doubling_low=doubling.low if doubling else None,
        doubling_high=doubling.high if doubling else None,
        text=text,
        reason=grown.reason,
        limits=asdict(grown.limits) if grown.limits else None,
    )


def _growth(
    earlier: Sequence[Finding], later: Sequence[Finding], pair: Pair, geometry: Geometry | None
) -> changing.Growth:
    """Return how the sum of some findings changed; none on a side means that nothing is there."""
    if any(not {"volume", "long_axis"} <= f.values.keys() for f in (*earlier, *later)):
        return changing.Growth("cannot-tell", None, None, "One of them has no volume; outline it by a click.")
    if geometry is None:
        return changing.Growth(
            "cannot-tell", None, None, "The studies could not be aligned, so their slices were not compared."
        )
    then, now = _Sizes.of(earlier), _Sizes.of(later)
    if then and now and (doubt := _doubt(earlier, later, pair, geometry)):
        return changing.unproven(math.log(now.volume.value / then.volume.value), doubt)
    return changing.growth(
        then, now, days=pair.days, slice_thickness_mm=geometry.thickness_mm, differs=geometry.differs,
        lung_nodule=all(f.kind == "lung-nodule" for f in (*earlier, *later)),
    )  # fmt: skip


def _doubt(earlier: Sequence[Finding], later: Sequence[Finding], pair: Pair, geometry: Geometry) -> str:
    """Return why no published figure judges these sizes, empty where one may."""
    measured = {f.series_uid for f in later}, {f.series_uid for f in earlier}
    if measured != ({pair.series_uid}, {pair.prior_series_uid}):
        return ELSEWHERE
    return "" if geometry.modality == "CT" else NO_FIGURE.format(modality=geometry.modality)


@dataclass(frozen=True, slots=True)
class _Sizes:
    """Volume and long axis of findings together as they stand, a person's correction included."""

    volume: Quantity
    long_axis: Quantity

    @classmethod
    def of(cls, some: Sequence[Finding]) -> "_Sizes | None":
        if not some:
            return None
        volumes, axes = ([f.values[name] for f in some] for name in ("volume", "long_axis"))
        return cls(_sum(volumes), _sum(axes))


def _sum(parts: Sequence[Quantity]) -> Quantity:
    """Return the sum; errors are independent, so half widths of intervals add in quadrature."""
    if len(parts) == 1:
        return parts[0]
    value = sum(part.value for part in parts)
    method = f"sum of {len(parts)}: {'; '.join(dict.fromkeys(part.method for part in parts))}"
    if any(part.low is None or part.high is None for part in parts):
        return Quantity(value, parts[0].unit, method)
    below = math.hypot(*(part.value - cast(float, part.low) for part in parts))
    above = math.hypot(*(cast(float, part.high) - part.value for part in parts))
    return Quantity(value, parts[0].unit, method, value - below, value + above)


def _size(finding: Finding) -> float:
    volume = finding.values.get("volume")
    return volume.value if volume else 0.0


def _noun(finding: Finding | None) -> str:
    return "nodule" if finding is None or finding.kind == "lung-nodule" else "lesion"


def _text(grown: changing.Growth, finding: Finding | None, prior_date: str) -> str:
    """Return the change in a few words; the interval stands beside it as numbers."""
    since = f"since {long_date(prior_date)}"
    axis = finding.values.get("long_axis") if finding else None
    size = f"{axis.value:.1f} mm" if axis else ""
    noun = _noun(finding)
    words = {
        "new": f"new {noun} of {size} {since}",
        "vanished": f"{noun} of {size} no longer seen",
        "cannot-tell": f"change of a {size} {noun} {since} cannot be told",
    }
    return words.get(grown.kind) or f"{noun} {_became(grown)} {since}"


def _said_text(
    statement: Statement, grown: changing.Growth, current: Finding, count: int, prior_date: str
) -> str:
    if statement.identity is Identity.SAME:
        return _text(grown, current, prior_date)
    how = f"{count} merged into one" if statement.identity is Identity.MERGED else f"one split into {count}"
    return f"{_noun(current)}s: {how}, together {_became(grown)} since {long_date(prior_date)}"


def _became(grown: changing.Growth) -> str:
    percent = f"{abs(grown.percent.value):.0f} %" if grown.percent else ""
    words = {"grown": f"grew {percent}", "shrunk": f"shrank {percent}", "stable": "stable"}
    return words.get(grown.kind, "of a change that cannot be told")


def _lesion(finding: Finding, grid: Grid, blobs: Blobs) -> Lesion:
    """Return a finding as the linking sees it: mask, place and size."""
    with np.load(io.BytesIO(blobs.get(cast(str, finding.mask_key))), allow_pickle=False) as file:
        mask = np.asarray(file["mask"], dtype=bool)
        z, y, x = (int(v) for v in file["offset_zyx"])
    nowhere = (finding.centre_lps_mm, finding.centre_lps_mm)
    values = finding.values
    return Lesion(
        mask=mask,
        offset_zyx=(z, y, x),
        grid=grid.cropped((z, y, x), mask.shape),
        centre_lps_mm=finding.centre_lps_mm,
        volume=values["volume"],
        long_axis=values["long_axis"],
        long_axis_lps_mm=nowhere,
        short_axis=values["short_axis"],
        short_axis_lps_mm=nowhere,
        axis_slice=z,
        mean_hu=values.get("mean_hu") or values.get("mean") or Quantity(math.nan, "1", ""),
        score=finding.score or 0.0,
        location=finding.label,
        side=cast(Literal["R", "L"] | None, finding.laterality),
    )
