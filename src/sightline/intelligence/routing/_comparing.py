"""A study beside its prior: align the two series, link their lesions, say what has changed."""

import hashlib
import json
import math
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from pydicom import Dataset, dcmread

from sightline.intelligence.routing._changes import changes_of
from sightline.intelligence.routing._flat import align_pictures
from sightline.intelligence.routing._pair import Geometry, Pair, compared_pair, pair_of
from sightline.kernel import clock
from sightline.kernel.errors import Invalid
from sightline.record import archive, findings, timeline
from sightline.runtime import processes
from sightline.runtime.blobs import Blobs
from sightline.runtime.db import Db
from sightline.science import alignment as aligning
from sightline.science import change as changing
from sightline.science import volumes
from sightline.science.geometry import Grid
from sightline.trust import access

__all__ = ["Geometry", "Pair", "pair_of"]

BROWSER_GRID_MM = 12.0


def align_pair(held: archive.Store, pair: Pair) -> tuple[aligning.Alignment | str, Geometry | None]:
    """Return the alignment of a pair, made once and kept; or the reason why these images have none.

    Raises
    ------
    Unavailable
        As `made_alignment`: nothing is said of the images then, and it can go better another time.
    """
    try:
        return made_alignment(held, pair)
    except Invalid as refusal:
        return str(refusal), None


def made_alignment(held: archive.Store, pair: Pair) -> tuple[aligning.Alignment, Geometry]:
    """Return the alignment of a pair, made once and kept.

    Raises
    ------
    Invalid
        If the images cannot be aligned: they form no volume, as a rule.
    Unavailable
        If the process that aligns them failed, or the store did.
    """
    blobs = held.blobs
    if blobs.head(f"{pair.key}.npz") is None:
        _align(held, pair)
    about = json.loads(blobs.get(f"{pair.key}.json"))
    made_at = about.get("made_at")
    geometry = Geometry(
        *kept_grids(blobs, f"{pair.key}.npz"),
        about["thickness_mm"],
        about["modality"],
        tuple(about["differs"]),
        datetime.fromisoformat(made_at) if made_at else None,
    )
    return aligning.Alignment.from_bytes(blobs.get(f"{pair.key}.npz")), geometry


def kept_grids(blobs: Blobs, key: str) -> tuple[Grid, Grid]:
    """Return where the current and the prior images lie of which the alignment is kept under a key."""
    about = json.loads(blobs.get(key.removesuffix(".npz") + ".json"))
    return _grid(about["current"]), _grid(about["prior"])


def _align(held: archive.Store, pair: Pair) -> None:
    series = [pair.series_uid, pair.prior_series_uid, *(pair.riders or ())]
    with tempfile.TemporaryDirectory(prefix="sightline-align-") as scratch:
        result, *folders = (Path(scratch, name) for name in ("result", *map(str, range(len(series)))))
        result.mkdir()
        with held.database.reading() as db:
            for uid, folder in zip(series, folders, strict=True):
                folder.mkdir()
                archive.export_series(held, db, uid, folder)
        processes.run_capped(*_work(pair, result, folders))
        # The description first: where the field is, its description is.
        held.blobs.put_if_absent(f"{pair.key}.json", (result / "about.json").read_bytes())
        held.blobs.put_if_absent(f"{pair.key}.npz", (result / "alignment.npz").read_bytes())


@contextmanager
def exported(
    held: archive.Store, pair: Pair, alignment: aligning.Alignment
) -> Iterator[tuple[Path, Path, Path]]:
    """Put the images of a pair, current and prior, and their alignment where a child process reads them."""
    with tempfile.TemporaryDirectory(prefix="sightline-pair-") as scratch:
        current, prior, field = (Path(scratch, name) for name in ("current", "prior", "alignment.npz"))
        field.write_bytes(alignment.to_bytes())
        with held.database.reading() as db:
            for uid, folder in ((pair.series_uid, current), (pair.prior_series_uid, prior)):
                folder.mkdir()
                archive.export_series(held, db, uid, folder)
        yield current, prior, field


def _work(pair: Pair, result: Path, folders: Sequence[Path]) -> tuple[Callable[..., None], tuple[Any, ...]]:
    """Return what a child process is to do, and with what."""
    if pair.flat is None:
        return align_folders, (result, *folders)
    return align_pictures, (result, pair.flat, *folders, pair.images[0], pair.prior_images[0])


def align_folders(result: Path, current: Path, prior: Path, *riders: Path) -> None:
    """Align two folders of DICOM files; runs in a child process and writes its answer into `result`.

    `riders` are the folders of what was taken with the two, if anything was.
    """
    fixed, moving = (volumes.read_volume(sorted(folder.iterdir())) for folder in (current, prior))
    found = aligning.align(fixed, moving)
    headers = [dcmread(min(folder.iterdir()), stop_before_pixels=True) for folder in (current, prior)]
    if riders:
        found = _judged_for(found, (fixed, moving), riders)
    about = {
        "current": asdict(fixed.grid),
        "prior": asdict(moving.grid),
        "thickness_mm": max(fixed.thickness_mm, moving.thickness_mm),
        **taken(*headers),
        "made_at": clock.now().isoformat(),
    }
    (result / "about.json").write_text(json.dumps(about))
    (result / "alignment.npz").write_bytes(found.to_bytes())


def taken(current: Dataset, prior: Dataset) -> dict[str, Any]:
    """Return the modality of the current images, and in what the two were taken differently."""
    return {
        "modality": str(current.get("Modality") or ""),
        "differs": changing.protocol_differences(current, prior),
    }


def _judged_for(
    found: aligning.Alignment, aligned: tuple[volumes.Volume, volumes.Volume], riders: Sequence[Path]
) -> aligning.Alignment:
    """Return the alignment with the verdict that it has for what rides along too.

    The map stays on the grid of the aligned images: it is the same one, and beyond them it goes on from
    their edge.
    """
    try:
        carried = aligning.carry(
            found, aligned, [volumes.read_volume(sorted(folder.iterdir())) for folder in riders]
        )
    except volumes.NotAVolume:  # what cannot be read as a volume is not compared; the CTs are
        return found
    return replace(
        found, verdict=carried.verdict, reason=carried.reason, tests=carried.tests, method=carried.method
    )


def build_comparison(
    db: Db, blobs: Blobs, pair: Pair, alignment: aligning.Alignment | str, geometry: Geometry | None
) -> tuple[timeline.Comparison, dict[str, str]]:
    """Return the comparison of a pair, and which lesion each finding of the patient now is.

    The lesions follow from all comparisons of the patient together, so that it does not matter in which
    order they are made, and a link that a comparison no longer finds is gone. Two comparisons of one patient
    wait for each other.
    """
    held = findings.hold_patient(db, pair.patient)
    statements = findings.statements_of(db, pair.patient)
    # A projection shows no place in space: what was found on radiographs is linked by persons only.
    usable = alignment if pair.flat is None else "aligned in the plane only"
    changes = changes_of(blobs, pair, held, statements, usable, geometry)
    comparison = timeline.Comparison(
        id=hashlib.sha256(f"{pair.study_uid}/{pair.key}".encode()).hexdigest()[:32],
        study_uid=pair.study_uid,
        prior_uid=pair.prior_uid,
        patient=pair.patient,
        study_series_uid=pair.series_uid,
        prior_series_uid=pair.prior_series_uid,
        why=pair.why,
        days=pair.days,
        alignment=summary_of(alignment, pair),
        changes=changes,
        at=clock.now(),
    )
    others = [c for c in timeline.comparisons_of_patient(db, pair.patient) if c.study_uid != pair.study_uid]
    return comparison, findings.lesions_of(held, linked_pairs([*others, comparison]), statements)


def linked_pairs(comparisons: Sequence[timeline.Comparison]) -> list[tuple[str, str]]:
    """Return the findings that comparisons linked, in an order that does not depend on which came last."""
    return [
        (change.current, change.prior)
        for comparison in sorted(comparisons, key=lambda c: c.study_uid)
        for change in comparison.changes
        if change.linked and change.current and change.prior
    ]


def compare_again(db: Db, held: archive.Store, comparison: timeline.Comparison) -> None:
    """Make a comparison anew from its kept alignment, after a person's word on a lesion; nothing is aligned.

    An alignment that was never made, or that a newer method would replace, is left to the job.
    """
    pair = compared_pair(db, comparison)
    alignment: aligning.Alignment | str = comparison.alignment.reason
    geometry = None
    if held.blobs.head(f"{pair.key}.npz") is not None:
        alignment, geometry = align_pair(held, pair)
    elif comparison.alignment.key:
        return
    made, lesions = build_comparison(db, held.blobs, pair, alignment, geometry)
    findings.unify_lesions(db, pair.patient, lesions, by=access.SYSTEM)
    timeline.record_comparison(db, made, by=access.SYSTEM)


def unify_again(db: Db, patient: str) -> None:
    """Say anew which lesion each finding of a patient is, where no comparison is made anew."""
    held = findings.hold_patient(db, patient)
    linked = linked_pairs(timeline.comparisons_of_patient(db, patient))
    lesions = findings.lesions_of(held, linked, findings.statements_of(db, patient))
    findings.unify_lesions(db, patient, lesions, by=access.SYSTEM)


def distances_to(
    blobs: Blobs,
    comparison: timeline.Comparison,
    finding: findings.Finding,
    then: Sequence[findings.Finding],
) -> list[float | None]:
    """Return how far (mm) findings of the prior lie from where a finding of the study lay then, by alignment.

    None where the alignment failed, or a finding lies in another space than the series that were aligned.
    """
    key = comparison.alignment.key
    if comparison.alignment.verdict == "failed" or not key or blobs.head(key) is None:
        return [None for _ in then]
    if finding.series_uid != comparison.study_series_uid:
        return [None for _ in then]
    place = aligning.Alignment.from_bytes(blobs.get(key)).map_points(finding.centre_lps_mm)[0]
    return [
        math.dist(place, f.centre_lps_mm) if f.series_uid == comparison.prior_series_uid else None
        for f in then
    ]


def summary_of(alignment: aligning.Alignment | str, pair: Pair) -> timeline.AlignmentSummary:
    """Return an alignment, or the reason why there is none, as it is kept and shown."""
    if isinstance(alignment, str):
        return timeline.AlignmentSummary("failed", alignment, (), "none", "", None)
    usable = alignment.verdict != "failed"
    grid = asdict(alignment.resampled(BROWSER_GRID_MM).grid) if usable else None
    # A test that could not be made has no number, and JSON no word for that; the reason tells of it.
    tests = tuple(asdict(test) for test in alignment.tests if math.isfinite(test.value))
    images = (pair.images[0], pair.prior_images[0]) if pair.flat else None
    return timeline.AlignmentSummary(
        alignment.verdict, alignment.reason, tests, alignment.method, f"{pair.key}.npz", grid, images
    )


def browser_field(blobs: Blobs, summary: timeline.AlignmentSummary) -> bytes:
    """Return the displacement (z, y, x, 3) on the coarse grid as little-endian float32, mm, LPS."""
    found = aligning.Alignment.from_bytes(blobs.get(summary.key)).resampled(BROWSER_GRID_MM)
    return np.ascontiguousarray(found.displacement_mm, dtype="<f4").tobytes()


def _grid(about: dict[str, Any]) -> Grid:
    return Grid(
        tuple(about["shape_zyx"]),
        tuple(about["spacing_xyz_mm"]),
        tuple(about["origin_lps_mm"]),
        tuple(about["directions"]),
    )
