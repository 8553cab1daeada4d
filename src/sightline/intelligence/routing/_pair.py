"""Two studies to be compared, as values."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sightline.record import archive, timeline
from sightline.runtime.db import Db
from sightline.science.geometry import Grid

# Part of the cache key: raise it when the engine or its settings change what comes out.
ALIGNMENT_VERSION = "2"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two studies of one patient to be compared, and the series and images that stand for them."""

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

    @property
    def key(self) -> str:
        """Return where the alignment of exactly these images is kept."""
        seen = json.dumps([ALIGNMENT_VERSION, sorted(self.images), sorted(self.prior_images)])
        return f"alignments/{hashlib.sha256(seen.encode()).hexdigest()[:40]}"


def pair_of(
    db: Db, study: archive.Study, prior: archive.Study, series: tuple[str, str], *, why: str, days: int
) -> Pair:
    """Return a study and its prior as a pair; `series` are those that stand for the two."""
    current, before = series
    return Pair(
        study.uid, prior.uid, study.patient, current, before, why, days,
        archive.sop_uids_of(db, current), archive.sop_uids_of(db, before), prior_date=prior.date,
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
    """Grids, thickness and kernels of two volumes, as linking and growth need them; when it was made."""

    current: Grid
    prior: Grid
    thickness_mm: float
    same_kernel: bool
    made_at: datetime | None = None
