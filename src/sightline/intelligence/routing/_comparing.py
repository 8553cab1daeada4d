"""A study beside its prior: align the two series, link their lesions, say what has changed."""

import hashlib
import io
import json
import math
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np

from sightline.kernel import clock
from sightline.kernel.dates import long_date
from sightline.kernel.errors import PlatformError
from sightline.record import archive, findings, timeline
from sightline.runtime import processes
from sightline.runtime.blobs import Blobs
from sightline.runtime.db import Db
from sightline.science import alignment as aligning
from sightline.science import change as changing
from sightline.science import volumes
from sightline.science.geometry import Grid
from sightline.science.segmentation import Lesion

# Part of the cache key: raise it when the engine or its settings change what comes out.
ALIGNMENT_VERSION = "1"
BROWSER_GRID_MM = 12.0


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


@dataclass(frozen=True, slots=True)
class Geometry:
    """Grids, slice thickness and kernels of the two volumes, as linking and growth need them."""

    current: Grid
    prior: Grid
    thickness_mm: float
    same_kernel: bool


def align_pair(held: archive.Store, pair: Pair) -> tuple[aligning.Alignment | str, Geometry | None]:
    """Return the alignment of a pair, made once and kept; or the reason why there is none."""
    blobs = held.blobs
    if blobs.head(f"{pair.key}.npz") is None:
        try:
            _align(held, pair)
        except PlatformError as refusal:
            return str(refusal), None
    about = json.loads(blobs.get(f"{pair.key}.json"))
    geometry = Geometry(
        _grid(about["current"]), _grid(about["prior"]), about["thickness_mm"], about["same_kernel"]
    )
    return aligning.Alignment.from_bytes(blobs.get(f"{pair.key}.npz")), geometry


def _align(held: archive.Store, pair: Pair) -> None:
    with tempfile.TemporaryDirectory(prefix="sightline-align-") as folder:
        current, prior, result = (Path(folder, name) for name in ("current", "prior", "result"))
        for path in (current, prior, result):
            path.mkdir()
        with held.database.reading() as db:
            archive.export_series(held, db, pair.series_uid, current)
            archive.export_series(held, db, pair.prior_series_uid, prior)
        processes.run_capped(align_folders, (current, prior, result))
        # The description first: where the field is, its description is.
        held.blobs.put_if_absent(f"{pair.key}.json", (result / "about.json").read_bytes())
        held.blobs.put_if_absent(f"{pair.key}.npz", (result / "alignment.npz").read_bytes())


def align_folders(current: Path, prior: Path, result: Path) -> None:
    """Align two folders of DICOM files; runs in a child process and writes its answer into `result`."""
    fixed = volumes.read_volume(sorted(current.iterdir()))
    moving = volumes.read_volume(sorted(prior.iterdir()))
    found = aligning.align(fixed, moving)
    about = {
        "current": asdict(fixed.grid),
        "prior": asdict(moving.grid),
        "thickness_mm": max(fixed.thickness_mm, moving.thickness_mm),
        "same_kernel": fixed.kernel == moving.kernel,
    }
    (result / "about.json").write_text(json.dumps(about))
    (result / "alignment.npz").write_bytes(found.to_bytes())


def build_comparison(
    db: Db, blobs: Blobs, pair: Pair, alignment: aligning.Alignment | str, geometry: Geometry | None
) -> tuple[timeline.Comparison, dict[str, str]]:
    """Return the comparison of a pair, and which lesion each finding of the patient now is.

    The lesions follow from all comparisons of the patient together, so that it does not matter in which
    order they are made, and a link that a comparison no longer finds is gone. Two comparisons of one patient
    wait for each other.
    """
    held = findings.hold_patient(db, pair.patient)
    changes: list[timeline.Change] = []
    if not isinstance(alignment, str) and geometry is not None:
        now, then = (
            [f for f in held if f.study_uid == uid and _comparable(f)]
            for uid in (pair.study_uid, pair.prior_uid)
        )
        links = changing.link_lesions(
            [_lesion(f, geometry.current, blobs) for f in now],
            [_lesion(f, geometry.prior, blobs) for f in then],
            alignment,
            geometry.prior,
        )
        changes = [_change(link, now, then, pair, geometry) for link in links]
    comparison = timeline.Comparison(
        id=hashlib.sha256(f"{pair.study_uid}/{pair.key}".encode()).hexdigest()[:32],
        study_uid=pair.study_uid,
        prior_uid=pair.prior_uid,
        patient=pair.patient,
        study_series_uid=pair.series_uid,
        prior_series_uid=pair.prior_series_uid,
        why=pair.why,
        days=pair.days,
        alignment=_summary(alignment, pair),
        changes=tuple(changes),
        at=clock.now(),
    )
    others = [c for c in timeline.comparisons_of_patient(db, pair.patient) if c.study_uid != pair.study_uid]
    return comparison, lesions_of(held, [*others, comparison])


def _comparable(finding: findings.Finding) -> bool:
    values = finding.values
    measured = {"volume", "long_axis", "short_axis", "mean_hu"} <= values.keys() and values[
        "volume"
    ].value > 0
    return finding.state is not findings.State.REJECTED and finding.mask_key is not None and measured


def lesions_of(
    held: Sequence[findings.Finding], comparisons: Sequence[timeline.Comparison]
) -> dict[str, str]:
    """Return the tracking UID of each finding: what is linked, over however many dates, is one lesion.

    A lesion keeps the identity of the finding that was recorded first, so that what was reported under it
    stays findable when an older study arrives late.
    """
    first = {f.id: f.id for f in sorted(held, key=lambda f: (f.created_at, f.id))}
    rank = {finding: place for place, finding in enumerate(first)}

    def root(finding: str) -> str:
        while first[finding] != finding:
            finding = first[finding]
        return finding

    for change in (change for comparison in comparisons for change in comparison.changes if change.linked):
        if change.current in first and change.prior in first:
            elder, younger = sorted((root(change.current), root(change.prior)), key=rank.__getitem__)
            first[younger] = elder
    return {finding: findings.own_lesion(root(finding)) for finding in first}


def _summary(alignment: aligning.Alignment | str, pair: Pair) -> timeline.AlignmentSummary:
    if isinstance(alignment, str):
        return timeline.AlignmentSummary("failed", alignment, (), "none", "", None)
    usable = alignment.verdict != "failed"
    grid = asdict(alignment.resampled(BROWSER_GRID_MM).grid) if usable else None
    # A test that could not be made has no number, and JSON no word for that; the reason tells of it.
    tests = tuple(asdict(test) for test in alignment.tests if math.isfinite(test.value))
    return timeline.AlignmentSummary(
        alignment.verdict, alignment.reason, tests, alignment.method, f"{pair.key}.npz", grid
    )


def browser_field(blobs: Blobs, summary: timeline.AlignmentSummary) -> bytes:
    """Return the displacement (z, y, x, 3) on the coarse grid as little-endian float32, mm, LPS."""
    found = aligning.Alignment.from_bytes(blobs.get(summary.key)).resampled(BROWSER_GRID_MM)
    return np.ascontiguousarray(found.displacement_mm, dtype="<f4").tobytes()


def _change(
    link: changing.Link,
    now: Sequence[findings.Finding],
    then: Sequence[findings.Finding],
    pair: Pair,
    geometry: Geometry,
) -> timeline.Change:
    current = now[link.current] if link.current is not None else None
    prior = then[link.prior] if link.prior is not None else None
    if link.kind in ("not-covered", "ambiguous"):
        grown = changing.Growth("cannot-tell", None, None, link.reason)
    else:
        grown = changing.growth(
            _Sizes.of(prior), _Sizes.of(current), days=max(pair.days, 1),
            slice_thickness_mm=geometry.thickness_mm, same_protocol=geometry.same_kernel,
        )  # fmt: skip
    percent, doubling = grown.percent, grown.doubling_days
    return timeline.Change(
        current=current.id if current else None,
        prior=prior.id if prior else None,
        kind=grown.kind,
        percent=percent.value if percent else None,
        low=percent.low if percent else None,
        high=percent.high if percent else None,
        doubling_days=doubling.value if doubling and grown.kind == "grown" else None,
        doubling_low=doubling.low if doubling and grown.kind == "grown" else None,
        doubling_high=doubling.high if doubling and grown.kind == "grown" else None,
        text=_text(grown, current or prior, pair.prior_date),
        reason=grown.reason,
        linked=link.kind == "linked",
    )


def _text(grown: changing.Growth, finding: findings.Finding | None, prior_date: str) -> str:
    """Return the change in a few words; the interval stands beside it as numbers."""
    since = f"since {long_date(prior_date)}"
    size = f"{finding.values['long_axis'].value:.1f} mm" if finding else ""
    percent = f"{abs(grown.percent.value):.0f} %" if grown.percent else ""
    words = {
        "new": f"new nodule of {size} {since}",
        "grown": f"nodule grew {percent} {since}",
        "shrunk": f"nodule shrank {percent} {since}",
        "stable": f"nodule stable {since}",
        "vanished": f"nodule of {size} no longer seen",
        "cannot-tell": f"change of a {size} nodule {since} cannot be told",
    }
    return words[grown.kind]


@dataclass(frozen=True, slots=True)
class _Sizes:
    """Volume and long axis of a finding as it stands, a person's correction included."""

    volume: Any
    long_axis: Any

    @classmethod
    def of(cls, finding: findings.Finding | None) -> "_Sizes | None":
        return cls(finding.values["volume"], finding.values["long_axis"]) if finding else None


def _lesion(finding: findings.Finding, grid: Grid, blobs: Blobs) -> Lesion:
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
        mean_hu=values["mean_hu"],
        score=finding.score or 0.0,
        location=finding.label,
        side=cast(Literal["R", "L"] | None, finding.laterality),
    )


def _grid(about: dict[str, Any]) -> Grid:
    return Grid(
        tuple(about["shape_zyx"]),
        tuple(about["spacing_xyz_mm"]),
        tuple(about["origin_lps_mm"]),
        tuple(about["directions"]),
    )
