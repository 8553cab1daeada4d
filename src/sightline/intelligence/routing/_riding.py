"""Series that ride along: PET is compared over time through the CT in whose frame of reference it lies."""

from dataclasses import dataclass

from sightline.intelligence.routing._service import find_image_series
from sightline.record import archive
from sightline.runtime.db import Db

PET, CT = "PT", "CT"
FRAME_OF_REFERENCE = "00200052"


@dataclass(frozen=True, slots=True)
class Hybrid:
    """The PET of a study and the CTs in its frame of reference, the one with most images first."""

    pet: str
    cts: tuple[str, ...]


def carried_by(
    db: Db, study_uid: str, prior_uid: str, chosen: tuple[str, str]
) -> tuple[tuple[str, str], tuple[str, str] | None]:
    """Return the series to align, and the PETs that ride along where both studies hold PET with its CT.

    A CT that was chosen stays, if the PET lies in its frame of reference.
    """
    now, then = hybrid_of(db, study_uid), hybrid_of(db, prior_uid)
    if now is None or then is None:
        return chosen, None
    current, before = (
        series if series in both.cts else both.cts[0]
        for series, both in zip(chosen, (now, then), strict=True)
    )
    return (current, before), (now.pet, then.pet)


def hybrid_of(db: Db, study_uid: str) -> Hybrid | None:
    """Return the largest PET of a study and the CTs that it lies on; None where there are not both."""
    series = sorted(find_image_series(db, study_uid), key=lambda s: (s.derived, -s.images, s.uid))
    pet = next((s for s in series if s.modality == PET), None)
    if pet is None or not any(s.modality == CT for s in series):
        return None
    frame = frame_of_reference(db, pet.uid)
    cts = [s.uid for s in series if s.modality == CT and frame and frame_of_reference(db, s.uid) == frame]
    return Hybrid(pet.uid, tuple(cts)) if cts else None


def frame_of_reference(db: Db, series_uid: str) -> str:
    """Return the frame of reference that the first image of a series names; empty where it names none."""
    first = archive.sop_uids_of(db, series_uid)[:1]
    if not first:
        return ""
    value = archive.attributes_of(db, first[0]).get(FRAME_OF_REFERENCE, {}).get("Value") or [""]
    return str(value[0])


def same_in_prior(db: Db, prior_uid: str, prior_series_uid: str, modality: str) -> str | None:
    """Return the series of a prior that shows the same by the same modality where its aligned series lies."""
    aligned = archive.get_series(db, prior_series_uid)
    if aligned.modality == modality:
        return prior_series_uid
    frame = frame_of_reference(db, prior_series_uid)
    for one in sorted(find_image_series(db, prior_uid), key=lambda s: (s.derived, -s.images, s.uid)):
        if one.modality == modality and frame and frame_of_reference(db, one.uid) == frame:
            return one.uid
    return None
