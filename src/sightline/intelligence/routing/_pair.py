"""Two studies to be compared, as values."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sightline.intelligence.routing._flat import Flat, flat_pair
from sightline.intelligence.routing._riding import carried_by
from sightline.record import archive, timeline
from sightline.runtime.db import Db
from sightline.science.geometry import Grid

# Part of the cache key: raise it when the engine or its settings change what comes out.
ALIGNMENT_VERSION = "3"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two studies of one patient to be compared, and the series and images that stand for them.

    `riders` are series that were taken with those two and go by their alignment: PET with its CT. A pair that
    is `flat` is of two single images, aligned in the plane.
    """

    study_uid: str
    prior_uid: str
    patient: str
    series_uid: str
    prior_series_uid: str
    why: str
    days: int
    images: Sequence[str]
    prior_images: Sequence[str]
    prior_date: str
    riders: tuple[str, str] | None = None
    rider_images: Sequence[str] = ()
    flat: Flat | None = None

    @property
    def key(self) -> str:
        """Return where the alignment of exactly these images is kept."""
        parts = [ALIGNMENT_VERSION, sorted(self.images), sorted(self.prior_images)]
        seen = json.dumps([*parts, sorted(self.rider_images)] if self.riders else parts)
        return f"alignments/{hashlib.sha256(seen.encode()).hexdigest()[:40]}"


def pair_of(
    db: Db, study: archive.Study, prior: archive.Study, series: tuple[str, str], *, why: str, days: int
) -> Pair:
    """Return a study and its prior as a pair; `series` are those that stand for the two.

    Where both hold PET with its CT, the CTs are aligned and the PETs ride along. Of radiographs the images
    that show the same view stand for the two.
    """
    flat = flat_pair(db, study.uid, prior.uid, series)
    if flat is not None:
        kind, now, then = flat
        return Pair(
            study.uid, prior.uid, study.patient, now.series_uid, then.series_uid, why, days,
            [now.sop_uid], [then.sop_uid], prior_date=prior.date, flat=kind,
        )  # fmt: skip
    (current, before), riders = carried_by(db, study.uid, prior.uid, series)
    return Pair(
        study.uid, prior.uid, study.patient, current, before, why, days,
        archive.sop_uids_of(db, current), archive.sop_uids_of(db, before), prior_date=prior.date,
        riders=riders, rider_images=[uid for one in riders or () for uid in archive.sop_uids_of(db, one)],
    )  # fmt: skip


def compared_pair(db: Db, comparison: timeline.Comparison) -> Pair:
    """Return the pair that a comparison is of, with the images that stand for the two now."""
    return pair_of(
        db,
        archive.get_study(db, comparison.study_uid),
        archive.get_study(db, comparison.prior_uid),
        (comparison.study_series_uid, comparison.prior_series_uid),
        why=comparison.why,
        days=comparison.days,
    )


@dataclass(frozen=True, slots=True)
class Geometry:
    """Grids, thickness and modality of two volumes, as linking and growth need them; when it was made.

    `differs` is in what the two were taken differently, as `change.protocol_differences` has it.
    """

    current: Grid
    prior: Grid
    thickness_mm: float
    modality: str
    differs: tuple[str, ...]
    made_at: datetime | None = None
