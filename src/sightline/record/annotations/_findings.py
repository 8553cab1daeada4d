"""Measurements as findings: what a person measured in the patient counts by that person's word.

Each finding is kept in step with its measurement by the tracking UID: changed with it, rejected when it is
taken away, accepted again when it comes back. Only what has a place in patient space becomes a finding.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sightline.kernel.quantities import Quantity
from sightline.record import findings
from sightline.record.annotations._model import LENGTHS, REGIONS, Measurement
from sightline.runtime.db import Db
from sightline.science import measuring
from sightline.trust import access

_NAMES = {
    "length": "length", "calibrated-length": "length", "bidirectional": "lesion", "ellipse": "region",
    "rectangle": "region", "freehand": "region", "spline": "region",
}  # fmt: skip


def keep_in_step(
    db: Db,
    study_uid: str,
    patient: str,
    before: Sequence[Measurement],
    after: Sequence[Measurement],
    *,
    by: access.Person,
) -> list[str]:
    """Make the findings say what the measurements of a person say now; return the ids of those changed."""
    changed: list[str] = []
    measured = [m for m in after if is_finding(m)]
    for m in measured:
        changed += _put(db, study_uid, patient, m, by=by)
    standing = {m.uid for m in measured}
    for gone in before:
        if gone.uid not in standing:
            changed += _take_back(db, study_uid, gone.uid, by=by)
    return changed


def is_finding(m: Measurement) -> bool:
    """Say whether a measurement stands for something in the patient."""
    sized = m.kind in LENGTHS or m.kind == "bidirectional" or m.kind in REGIONS
    return sized and bool(m.points_lps_mm) and bool(m.frame_of_reference_uid)


def run_of(study_uid: str, tracking_uid: str) -> str:
    """Return under which name the finding of a measurement is kept."""
    return f"annotation-{hashlib.sha256(f'{study_uid}/{tracking_uid}'.encode()).hexdigest()[:48]}"


def _put(db: Db, study_uid: str, patient: str, m: Measurement, *, by: access.Person) -> list[str]:
    run, found = run_of(study_uid, m.uid), _found(m)
    held = findings.of_run(db, run)
    if not held:
        return [findings.mark_finding(db, study_uid, patient, found, by=by, run=run).id]
    finding = held[0]
    if _says_the_same(finding, found):
        if finding.counts:
            return []
        return [findings.decide_finding(db, finding.id, findings.Decision.ACCEPT, by=by).id]
    return [findings.measure_again(db, finding.id, found, by=by).id]


def _take_back(db: Db, study_uid: str, tracking_uid: str, *, by: access.Person) -> list[str]:
    held = findings.of_run(db, run_of(study_uid, tracking_uid))
    return [
        findings.decide_finding(db, finding.id, findings.Decision.REJECT, by=by).id
        for finding in held
        if finding.counts
    ]


def _says_the_same(finding: findings.Finding, found: findings.Found) -> bool:
    if finding.label != found.label or finding.sop_uid != found.sop_uid:
        return False
    if finding.values.keys() != found.values.keys():
        return False
    values = [(finding.values[name].value, found.values[name].value) for name in found.values]
    points = list(zip(finding.centre_lps_mm, found.centre_lps_mm, strict=True))
    return all(abs(a - b) <= 1e-4 * max(1.0, abs(b)) for a, b in [*values, *points])


def _found(m: Measurement) -> findings.Found:
    points = np.asarray(m.points_lps_mm, dtype=float)
    long_axis, short_axis = _axes(m, points)
    values = {"long_axis": _quantity(long_axis, m)}
    if short_axis is not None:
        values["short_axis"] = _quantity(short_axis, m)
    if (area := m.value_of("area")) is not None and area.unit == "mm2":
        values["area"] = Quantity(area.value, "mm2", area.method)
    if (mean := m.value_of("mean")) is not None and mean.unit == "[hnsf'U]":
        values["mean_hu"] = Quantity(mean.value, mean.unit, mean.method)
    x, y, z = (float(v) for v in points.mean(axis=0))
    outline: tuple[tuple[tuple[float, float, float], ...], ...] = ()
    if m.kind in REGIONS and m.kind != "ellipse":
        outline = (tuple((float(a), float(b), float(c)) for a, b, c in points),)
    return findings.Found(
        kind="measurement",
        label=" ".join(m.label.split()) or _NAMES[m.kind],
        series_uid=m.series_uid,
        sop_uid=m.sop_uid,
        frame_of_reference_uid=m.frame_of_reference_uid,
        centre_lps_mm=(x, y, z),
        values=values,
        outline=findings.Outline(
            ((m.sop_uid, z, outline),) if outline else (),
            _axis(long_axis),
            _axis(short_axis) if short_axis is not None else None,
        ),
        why="measured by a person",
    )


def _axes(
    m: Measurement, points: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Return the lines (2, 3) along which a measurement is longest and, if it has one, across it."""
    if m.kind in LENGTHS:
        return points, None
    if m.kind in {"bidirectional", "ellipse"}:
        return points[:2], points[2:]
    longest, _ = measuring.extent(points)
    across, _ = measuring.across(points, longest)
    return longest, across


def _axis(line: NDArray[np.float64]) -> findings.Axis:
    (a, b, c), (d, e, f) = line.tolist()
    return ((a, b, c), (d, e, f))


def _quantity(line: NDArray[np.float64], m: Measurement) -> Quantity:
    method = next((value.method for value in m.values if value.method), "")
    return Quantity(measuring.length(line), "mm", method)
