"""Which series of two studies are compared: those that were taken alike, and that hold the findings."""

import json
import math
from collections import Counter
from dataclasses import dataclass

import numpy as np
from pydicom import Dataset

from sightline.intelligence.routing._service import analysed_series, find_image_series
from sightline.record import archive, findings
from sightline.runtime.db import Db
from sightline.science.change import Technique, technique_of

SAME_PLANE = math.cos(math.radians(25))
"""Normals of two series of one plane; the oblique planes of a head are tilted by up to 20 degrees."""

READ = (
    "00080008", "00080018", "00080060", "0008103E", "00180010", "00180050", "00180080",
    "00180081", "00180082", "00181030", "00181210", "00189087", "00200037",
)  # fmt: skip
"""Image type, UID, modality, descriptions, contrast, thickness, times, kernel, b-value and orientation."""


@dataclass(frozen=True, slots=True)
class Taken:
    """How the images of a series were taken; parts that its header does not say are empty."""

    uid: str
    technique: Technique
    scout: bool
    normal: tuple[float, ...]
    thickness_mm: float
    kernel: str
    findings: int
    images: int
    derived: bool


def series_pair(db: Db, study_uid: str, prior_uid: str) -> tuple[str, str] | None:
    """Return the series of a study and of its prior to be compared; None where one of them has no images.

    What a model analysed stands for its study, for its findings lie there. Otherwise the pair is taken that
    was made most alike: modality, weighting and contrast, plane, kernel, then the one with the most findings,
    then slice thickness and number of images. Scouts and derived images come last.
    """
    current, prior = _candidates(db, study_uid), _candidates(db, prior_uid)
    if not current or not prior:
        return None
    now, then = max(((c, p) for c in current for p in prior), key=lambda pair: _likeness(*pair))
    return now.uid, then.uid


def _likeness(now: Taken, then: Taken) -> tuple[float, ...]:
    thicker = math.log(max(now.thickness_mm, 0.1) / max(then.thickness_mm, 0.1))
    return (
        -(now.scout + then.scout),
        -(now.derived + then.derived),
        now.technique.modality == then.technique.modality,
        now.technique.weighting == then.technique.weighting,
        now.technique.contrast == then.technique.contrast,
        not now.normal or not then.normal or abs(float(np.dot(now.normal, then.normal))) > SAME_PLANE,
        now.kernel == then.kernel,
        now.findings + then.findings,
        -round(abs(thicker), 1),
        min(now.images, then.images),
        now.images,
    )


def _candidates(db: Db, study_uid: str) -> list[Taken]:
    held = Counter(f.series_uid for f in findings.of_studies(db, study_uid) if f.mask_key)
    series = find_image_series(db, study_uid)
    analysed = analysed_series(db, study_uid, series)
    series = [s for s in series if analysed in (None, s.uid)]
    headers = {s.uid: _header(db, s.uid) for s in series}
    return [_taken(headers[s.uid], s.uid, held[s.uid], s.images, s.derived) for s in series]


def _header(db: Db, series_uid: str) -> Dataset:
    """Return what `READ` names of the first image of a series."""
    [first] = archive.find_instances(db, archive.InstanceQuery(series=series_uid), limit=1)
    [found] = json.loads(archive.metadata_json(db, archive.InstanceQuery(sop_uids=[first.sop_uid])))
    return Dataset.from_json({tag: found[tag] for tag in READ if tag in found})


def _taken(ds: Dataset, uid: str, held: int, images: int, derived: bool) -> Taken:
    kernel = ds.get("ConvolutionKernel") or ""
    return Taken(
        uid=uid,
        technique=technique_of(ds),
        scout="LOCALIZER" in [str(v).upper() for v in ds.get("ImageType") or []],
        normal=_normal(ds),
        thickness_mm=float(ds.get("SliceThickness") or 0.0),
        kernel=kernel if isinstance(kernel, str) else "\\".join(map(str, kernel)),
        findings=held,
        images=images,
        derived=derived,
    )


def _normal(ds: Dataset) -> tuple[float, ...]:
    try:
        a, b, c, d, e, f = (float(v) for v in ds.get("ImageOrientationPatient") or ())
    except ValueError:
        return ()
    return (b * f - c * e, c * d - a * f, a * e - b * d)
