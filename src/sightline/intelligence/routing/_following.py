"""Lesions that somebody points at, and points, carried from a study into its prior."""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sightline.intelligence.routing import _comparing as comparing
from sightline.intelligence.routing._again import look_again
from sightline.intelligence.routing._choosing import series_pair
from sightline.intelligence.routing._comparing import Pair
from sightline.intelligence.routing._flat import kind_of
from sightline.intelligence.routing._service import main_series
from sightline.kernel.dates import iso_date
from sightline.kernel.errors import Invalid, NotFound
from sightline.kernel.quantities import Quantity
from sightline.record import archive, findings, timeline
from sightline.runtime import processes
from sightline.runtime.db import Db
from sightline.science import alignment as aligning
from sightline.science import change as changing
from sightline.science import volumes
from sightline.science.segmentation import ClickSegment, Lesion
from sightline.trust import access

Point = tuple[float, float, float]

MEND_DATE = "correct what is wrong with 'sightline archive correct STUDY StudyDate=YYYYMMDD'"

BEYOND_MM = 10.0
"""How far beyond the images of the prior a place may lie: the map goes on smoothly a little."""

LEAST_MATCH_MM = 3.0
"""How near the centre of a kept finding has to be to be the lesion that was pointed at."""


class NoPrior(NotFound):
    """No earlier study of the patient shows the same region with the same modality; name one with --prior."""


class NotComparable(Invalid):
    """These two studies are not a study and its prior; the message says why."""


class AlignmentRefused(Invalid):
    """The two studies cannot be aligned well enough to carry points over; the message names the test."""


@dataclass(frozen=True, slots=True)
class SeenAt:
    """A lesion at one date; what was measured by hand need not have every size."""

    study: str
    date: str
    centre_lps_mm: Point
    volume: Quantity | None
    long_axis: Quantity | None
    short_axis: Quantity | None


@dataclass(frozen=True, slots=True)
class LesionChange:
    """What became of one lesion: `percent` of its volume with the 95 % interval, the dates in their order."""

    link: str
    tracking_uid: str | None
    kind: str
    percent: Quantity | None
    reason: str
    at: tuple[SeenAt, ...]


@dataclass(frozen=True, slots=True)
class StudyChange:
    """A study beside its prior; `prior` is None where there is none to compare with, and `why` says so."""

    study: str
    prior: str | None
    why: str
    verdict: str
    reason: str
    lesions: tuple[LesionChange, ...]


def find_pair(db: Db, study_uid: str, prior_uid: str | None = None) -> Pair:
    """Return a study with the prior that is named, else with the best one.

    Raises
    ------
    NoPrior
        If none is named and no earlier study compares.
    StudyNotHeld
        If one of the two is not held.
    NotComparable
        If the one that is named is no earlier study of the same patient, or one of the two has no images.
    """
    study = archive.get_study(db, study_uid)
    ranked = timeline.priors_of(db, study_uid)
    if prior_uid is None:
        prior_uid = _best(db, study, ranked)
    prior = _held_prior(db, prior_uid)
    _require_earlier(study, prior)
    series = series_pair(db, study_uid, prior_uid)
    if series is None:
        which = "study" if main_series(db, study_uid) is None else "prior"
        raise NotComparable(f"The {which} holds no images to compare; send them, or name another study.")
    days = (_moment(study) - _moment(prior)).days
    why = next((p.why for p in ranked if p.study_uid == prior_uid), f"named by you · {days} days earlier")
    return comparing.pair_of(db, study, prior, series, why=why, days=days)


def find_volumes(db: Db, study_uid: str, prior_uid: str) -> Pair:
    """Return a study with the prior that is named, of which both are volumes.

    Raises
    ------
    NotComparable
        As `find_pair`, and of radiographs and single slices, whose points lie in no common space.
    """
    pair = find_pair(db, study_uid, prior_uid)
    if pair.flat is not None:
        raise NotComparable(
            "These are single images, aligned in the plane only; points are mapped between volumes."
        )
    return pair


def _best(db: Db, study: archive.Study, ranked: Sequence[timeline.RankedPrior]) -> str:
    modality = timeline.image_modality(study)
    for prior in ranked:
        other = archive.get_study(db, prior.study_uid)
        if kind_of(timeline.image_modality(other)) == kind_of(modality):
            return prior.study_uid
    if not _is_dated(study):
        raise NoPrior(f"The study states no date, so nobody can tell what was before it; {MEND_DATE}.")
    raise NoPrior(
        f"No earlier {modality} study of this patient that is held here shows the same region; ask other "
        f"archives with 'sightline priors {study.uid} --search', or name a study with --prior."
    )


def _held_prior(db: Db, prior_uid: str) -> archive.Study:
    held = archive.get_studies(db, [prior_uid])
    if prior_uid not in held:
        raise archive.StudyNotHeld(
            f"No study {prior_uid} is held, so there is nothing to compare with; check the UID, or see "
            "with 'sightline archive trash --list' whether it was thrown away.",
            study=prior_uid,
        )
    return held[prior_uid]


def _require_earlier(study: archive.Study, prior: archive.Study) -> None:
    if study.uid == prior.uid:
        raise NotComparable("A study is not its own prior; name an earlier one.")
    if study.patient != prior.patient:
        raise NotComparable(
            "The two studies are of different patients, so nothing is compared; if they are one person's, "
            "put that right first ('sightline archive merge' or 'move')."
        )
    for which, one in (("study", study), ("prior", prior)):
        if not _is_dated(one):
            raise NotComparable(
                f"The {which} states no date, so nobody can tell which was before; {MEND_DATE}."
            )
    if timeline.is_earlier(prior, study):
        return
    if timeline.is_earlier(study, prior):
        raise NotComparable(
            f"The prior is of {iso_date(prior.date)}, which is not before the study of "
            f"{iso_date(study.date)}; name them the other way round."
        )
    timed = timeline.states_time(study.time) and timeline.states_time(prior.time)
    when = f"{_moment(study):%Y-%m-%d %H:%M}" if timed else f"{iso_date(study.date)}, one without a time"
    raise NotComparable(f"Both studies are of {when}, so neither is the earlier; {MEND_DATE}.")


def _require_alike(db: Db, pair: Pair) -> None:
    """Refuse sizes in different modalities: what stands out in one says nothing of the other."""
    kinds = [
        kind_of(kind)
        for uid, series in ((pair.study_uid, pair.series_uid), (pair.prior_uid, pair.prior_series_uid))
        for kind in (one.modality for one in archive.series_of_study(db, uid) if one.uid == series)
    ]
    if len(set(kinds)) > 1:
        raise NotComparable(
            f"The study is {kinds[0]} and the prior {kinds[1]}: sizes are compared within one modality only. "
            f"Name a {kinds[0]} with --prior; 'sightline align' maps places between the two."
        )


def _is_dated(study: archive.Study) -> bool:
    return bool(_moment(study) > datetime.min)  # noqa: DTZ901  DICOM states no zone


def _moment(study: archive.Study) -> datetime:
    return timeline.study_moment(study.date, study.time)


def change_of(
    held: archive.Store,
    study_uid: str,
    *,
    prior_uid: str | None = None,
    points_lps_mm: Sequence[Point] = (),
    by: access.Person,
) -> StudyChange:
    """Return what has changed since the prior: of the lesions at some points, else of all findings.

    The alignment is made once and kept. Where nothing can be compared the answer says why, and no change is
    stated.
    """
    access.require(by, "finding.read", on=study_uid)
    with held.database.reading() as db:
        study = archive.get_study(db, study_uid)
        try:
            pair = find_pair(db, study_uid, prior_uid)
            _require_alike(db, pair)
        except (NoPrior, NotComparable) as refusal:
            return StudyChange(study.uid, None, str(refusal), "failed", str(refusal), ())
    alignment, geometry = comparing.align_pair(held, pair)
    if isinstance(alignment, str) or geometry is None:
        return StudyChange(study_uid, pair.prior_uid, pair.why, "failed", str(alignment), ())
    if points_lps_mm:
        lesions = _at_points(held, pair, alignment, geometry, points_lps_mm, study)
    else:
        lesions = _of_findings(held, pair, alignment, geometry, study)
    return StudyChange(study_uid, pair.prior_uid, pair.why, alignment.verdict, alignment.reason, lesions)


def map_points(
    held: archive.Store,
    study_uid: str,
    prior_uid: str,
    points_lps_mm: Sequence[Point],
    *,
    by: access.Person,
) -> tuple[list[Point], aligning.Alignment]:
    """Return where points of a study lie in its prior, and the alignment that says so.

    Raises
    ------
    NotComparable
        If the two are not a study and an earlier one of the same patient.
    AlignmentRefused
        If the alignment failed, or a point lies outside the current study or what the prior shows.
    """
    access.require(by, "archive.read", on=study_uid)
    with held.database.reading() as db:
        pair = find_volumes(db, study_uid, prior_uid)
    alignment, geometry = comparing.align_pair(held, pair)
    if isinstance(alignment, str):
        raise AlignmentRefused(f"failed: {alignment}")
    if alignment.verdict == "failed":
        raise AlignmentRefused(f"failed: {alignment.reason}")
    assert geometry is not None
    outside = [n for n, inside in enumerate(geometry.current.contains(points_lps_mm), 1) if not inside]
    if outside:
        raise AlignmentRefused(
            f"Point {outside[0]} lies outside the images of the current study; coordinates are LPS in mm."
        )
    mapped = alignment.map_points(points_lps_mm)
    shown = geometry.prior.contains(mapped, margin_mm=-BEYOND_MM)
    unseen = [n for n, inside in enumerate(shown, 1) if not inside]
    if unseen:
        raise AlignmentRefused(
            f"Point {unseen[0]} lies beyond what the prior shows: nobody can tell where it would be."
        )
    return [(float(x), float(y), float(z)) for x, y, z in mapped], alignment


def _at_points(
    held: archive.Store,
    pair: Pair,
    alignment: aligning.Alignment,
    geometry: comparing.Geometry,
    points: Sequence[Point],
    study: archive.Study,
) -> tuple[LesionChange, ...]:
    with held.database.reading() as db:
        kept = findings.of_patient(db, pair.patient)
    with comparing.exported(held, pair, alignment) as files:
        followed = processes.run_capped(
            follow_folders, (*files, tuple(points), pair.days, geometry.differs), at_once=True
        )
    dates = {pair.study_uid: iso_date(study.date), pair.prior_uid: iso_date(pair.prior_date)}
    return tuple(_lesion_change(one, pair, dates, kept) for one in followed)


def follow_folders(
    current: Path,
    prior: Path,
    field: Path,
    points: Sequence[Point],
    days: int,
    differs: Sequence[str],
) -> list[dict[str, Any]]:
    """Follow the lesions at some points from one folder of DICOM files into another; runs in a child."""
    followed = changing.follow_points(
        volumes.read_volume(sorted(current.iterdir())),
        volumes.read_volume(sorted(prior.iterdir())),
        aligning.Alignment.from_bytes(field.read_bytes()),
        points,
        days=days,
        differs=differs,
    )
    return [
        {
            "link": one.link.kind,
            "kind": one.growth.kind,
            "percent": one.growth.percent,
            "reason": one.growth.reason,
            "current": _sizes(one.current),
            "prior": _sizes(one.prior),
        }
        for one in followed
    ]


def _sizes(lesion: Lesion | ClickSegment | None) -> tuple[Point, Quantity, Quantity, Quantity] | None:
    if lesion is None:
        return None
    return lesion.centre_lps_mm, lesion.volume, lesion.long_axis, lesion.short_axis


def _lesion_change(
    one: dict[str, Any], pair: Pair, dates: dict[str, str], kept: Sequence[findings.Finding]
) -> LesionChange:
    at = tuple(
        SeenAt(uid, dates[uid], *sizes)
        for uid, sizes in ((pair.prior_uid, one["prior"]), (pair.study_uid, one["current"]))
        if sizes is not None
    )
    linked = at if one["link"] == "linked" else at[-1:]
    return LesionChange(
        one["link"], _tracking_uid(linked, kept), one["kind"], one["percent"], one["reason"], at
    )


def _tracking_uid(at: Sequence[SeenAt], kept: Sequence[findings.Finding]) -> str | None:
    """Return the identity of a lesion: that of a finding kept at one of its places, else one of its own.

    The one of its own follows from study and place, so that asking again gives the same.
    """
    for seen in at:
        near = max(LEAST_MATCH_MM, seen.short_axis.value / 2 if seen.short_axis else 0.0)
        for finding in kept:
            away = math.dist(finding.centre_lps_mm, seen.centre_lps_mm)
            if finding.study_uid == seen.study and away <= near:
                return finding.lesion
    if not at:
        return None
    named = json.dumps([at[0].study, [round(v) for v in at[0].centre_lps_mm]])
    return f"2.25.{int.from_bytes(hashlib.sha256(named.encode()).digest()[:16], 'big')}"


def _of_findings(
    held: archive.Store,
    pair: Pair,
    alignment: aligning.Alignment,
    geometry: comparing.Geometry,
    study: archive.Study,
) -> tuple[LesionChange, ...]:
    look_again(held, pair, alignment, geometry)
    with held.database.transaction() as db:
        comparison, _ = comparing.build_comparison(db, held.blobs, pair, alignment, geometry)
        found = {f.id: f for f in findings.of_patient(db, pair.patient)}
    dates = {pair.study_uid: iso_date(study.date), pair.prior_uid: iso_date(pair.prior_date)}
    return tuple(_known_change(change, found, dates) for change in comparison.changes)


def _known_change(
    change: timeline.Change, found: dict[str, findings.Finding], dates: dict[str, str]
) -> LesionChange:
    both = [found[uid] for uid in (change.prior, change.current) if uid is not None]
    percent = None
    if change.percent is not None:
        percent = Quantity(change.percent, "%", "", change.low, change.high)
    at = tuple(
        SeenAt(
            f.study_uid, dates[f.study_uid], f.centre_lps_mm,
            *(f.values.get(name) for name in ("volume", "long_axis", "short_axis")),
        )
        for f in both
    )  # fmt: skip
    return LesionChange(change.link, both[-1].lesion, change.kind, percent, change.reason, at)
