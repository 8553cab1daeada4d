"""An alignment handed on as a DICOM registration, and points mapped by one that another system made."""

import io
from collections.abc import Sequence

import numpy as np
import pydicom
import structlog
from pydicom.dataset import Dataset

from sightline.intelligence.routing import _comparing as comparing
from sightline.intelligence.routing._comparing import Pair
from sightline.intelligence.routing._following import AlignmentRefused, Point, find_pair, find_volumes
from sightline.intelligence.routing._pair import compared_pair
from sightline.kernel import clock
from sightline.record import archive, derived, timeline
from sightline.science import alignment as aligning
from sightline.trust import access, audit

audit.declare("registration.store", "The alignment of a study with its prior was stored as a DICOM object")

OURS = archive.Source("internal", "registration", access.SYSTEM)
log = structlog.get_logger(__name__)


def register(
    held: archive.Store, study_uid: str, prior_uid: str, *, by: access.Person
) -> tuple[bytes, aligning.Alignment]:
    """Return the alignment of a study with its prior as a DICOM file, and the alignment itself.

    Raises
    ------
    NotComparable
        If the two are not a study and an earlier one of the same patient.
    AlignmentRefused
        If the alignment failed: no object is made that another system would trust.
    """
    access.require(by, "archive.read", on=study_uid)
    with held.database.reading() as db:
        pair = find_volumes(db, study_uid, prior_uid)
        simulated = archive.get_study(db, study_uid).simulated
    found, geometry = comparing.align_pair(held, pair)
    if isinstance(found, str):
        raise AlignmentRefused(f"failed: {found}")
    if found.verdict == "failed":
        raise AlignmentRefused(f"failed: {found.reason}")
    assert geometry is not None
    return derived.encode(_built(held, pair, found, geometry, simulated=simulated)), found


def keep_registration(held: archive.Store, study_uid: str) -> None:
    """Store the alignment of a study with its prior as a DICOM registration in the study, once.

    Without a trusted alignment, or where the images name no frame of reference that it could refer to,
    nothing is stored. One that a person has rejected does not come back.
    """
    with held.database.reading() as db:
        comparison = timeline.comparison_of(db, study_uid)
        if comparison is None or comparison.alignment.verdict == "failed":
            return
        studies = archive.get_studies(db, [study_uid, comparison.prior_uid])
        if len(studies) < 2:
            return  # one of the two is gone meanwhile
        pair = compared_pair(db, comparison)
        simulated = studies[study_uid].simulated
    if comparison.alignment.key != f"{pair.key}.npz":
        return  # other images have come since: their own comparison is on its way
    if pair.flat is not None:
        return  # pictures lie in no space that an object could refer to
    found, geometry = comparing.made_alignment(held, pair)
    if found.verdict == "failed":
        return  # made anew since, and refused
    try:
        ds = _built(held, pair, found, geometry, simulated=simulated)
    except derived.IncompleteSource as refusal:
        log.info("no registration kept", study=study_uid, reason=str(refusal))
        return
    if _is_known(held, str(ds.SOPInstanceUID)):
        return
    archive.store_dataset(held, ds, source=OURS)
    with held.database.transaction() as db:
        audit.record(
            db, "registration.store", by=access.SYSTEM, on=study_uid,
            prior=pair.prior_uid, verdict=found.verdict, object=str(ds.SOPInstanceUID),
        )  # fmt: skip


def _is_known(held: archive.Store, sop_uid: str) -> bool:
    with held.database.reading() as db:
        kept = archive.find_instances(db, archive.InstanceQuery(sop_uids=[sop_uid])).items
        return bool(kept or archive.kept_out_of_sight(db, [sop_uid]))


def _built(
    held: archive.Store,
    pair: Pair,
    found: aligning.Alignment,
    geometry: comparing.Geometry,
    *,
    simulated: bool,
) -> Dataset:
    return derived.build_registration(
        found,
        _headers(held, pair.images),
        _headers(held, pair.prior_images),
        moment=geometry.made_at or clock.now(),
        prior_grid=geometry.prior,
        simulated=simulated,
    )


def map_by(
    held: archive.Store,
    study_uid: str,
    prior_uid: str,
    points_lps_mm: Sequence[Point],
    registration: bytes,
    *,
    by: access.Person,
) -> list[Point]:
    """Return where a registration that another system made puts points of a study in its prior.

    Sightline cannot vouch for it: it is read and applied, not tested.

    Raises
    ------
    UnusableRegistration
        If it is none, contradicts itself, or does not speak of the two studies.
    AlignmentRefused
        If it leaves a point undefined.
    """
    access.require(by, "archive.read", on=study_uid)
    with held.database.reading() as db:
        pair = find_pair(db, study_uid, prior_uid)
    space = derived.read_registration(_parsed(registration))
    source, target = _frames(held, pair)
    mapped = space.map_points(points_lps_mm, source=source, target=target)
    undefined = np.flatnonzero(~np.isfinite(mapped).all(axis=1))
    if len(undefined):
        raise AlignmentRefused(f"The registration says nothing of where point {undefined[0] + 1} lies.")
    return [(float(x), float(y), float(z)) for x, y, z in mapped]


def _parsed(registration: bytes) -> Dataset:
    try:
        return pydicom.dcmread(io.BytesIO(registration))
    except Exception as cause:
        raise derived.UnusableRegistration("The registration cannot be read as DICOM.") from cause


def _frames(held: archive.Store, pair: Pair) -> tuple[str, str]:
    current, prior = (
        str(_headers(held, uids[:1])[0].get("FrameOfReferenceUID", "") or "")
        for uids in (pair.images, pair.prior_images)
    )
    if not current or not prior:
        raise derived.UnusableRegistration(
            "A study names no frame of reference, so a registration cannot speak of it."
        )
    return current, prior


def _headers(held: archive.Store, sop_uids: Sequence[str]) -> list[Dataset]:
    with held.database.reading() as db:
        return [
            pydicom.dcmread(io.BytesIO(archive.instance_bytes(held, db, uid)), stop_before_pixels=True)
            for uid in sop_uids
        ]
