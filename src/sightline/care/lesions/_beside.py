"""The aligned prior on a slice of the current study: to blink, to swipe, to look through a checkerboard."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from sightline.care import display
from sightline.care.lesions._model import NotAligned
from sightline.care.lesions._picture import picture_on
from sightline.intelligence import routing
from sightline.record import archive, timeline
from sightline.science import alignment, rendering
from sightline.trust import access, audit


@dataclass(frozen=True, slots=True, eq=False)
class PriorSlice:
    """Values (row, column) of the prior as alignment lays them onto a slice; NaN where it shows nothing."""

    values: npt.NDArray[np.float32]
    unit: str


@dataclass(frozen=True, slots=True)
class Image:
    """One image of a series."""

    series_uid: str
    sop_uid: str
    frame: int = 1


class Aligned(Protocol):
    """A study that was aligned with a prior: by its comparison, or because a reader put the two together."""

    @property
    def study_uid(self) -> str: ...

    @property
    def prior_uid(self) -> str: ...

    @property
    def study_series_uid(self) -> str: ...

    @property
    def prior_series_uid(self) -> str: ...


def prior_on_slice(
    on: display.Context, comparison_id: str, series_uid: str, sop_uid: str, frame: int, *, by: access.Person
) -> PriorSlice:
    """Return the prior of a comparison on one slice of a series of the study.

    Raises
    ------
    NotAligned
        If the alignment failed, with its reason, or the series lies in another space than the aligned one.
    NotAVolume
        If the prior's series is none.
    """
    with on.store.database.reading() as db:
        told = timeline.get_comparison(db, comparison_id)
    return _laid(on, told, told.alignment, Image(series_uid, sop_uid, frame), by=by)


def paired_on_slice(
    on: display.Context, study_uid: str, prior_uid: str, image: Image, *, by: access.Person
) -> PriorSlice:
    """Return any earlier study that was aligned with a study on one of its images.

    Raises
    ------
    NotAligned, NotAVolume
        As `prior_on_slice`; also where the two are not aligned yet.
    """
    with on.store.database.reading() as db:
        told = routing.alignment_state(on.store, db, study_uid, prior_uid, by=by)
    if told.alignment is None:
        raise NotAligned(f"The two studies are not aligned: {told.text}.")
    return _laid(on, told, told.alignment, image, by=by)


def _laid(
    on: display.Context, told: Aligned, summary: timeline.AlignmentSummary, image: Image, *, by: access.Person
) -> PriorSlice:
    series_uid = image.series_uid
    access.require(by, "archive.read", on=told.study_uid)
    prior_series_uid = _prior_series(on, told, series_uid)
    found = _alignment(on, summary)
    if summary.images is not None:
        return _on_picture(on, told, summary, found, image, by=by)
    slices = display.slices_in(on, told.study_uid, series_uid, by=by)
    if series_uid != told.study_series_uid:
        aligned = display.slices_in(on, told.study_uid, told.study_series_uid, by=by)
        if not slices.frame_uid or slices.frame_uid != aligned.frame_uid:
            raise NotAligned(
                "This series lies in another space than the one aligned with the prior; show that one."
            )
    if prior_series_uid != told.prior_series_uid:
        _require_same_unit(on, told, (series_uid, prior_series_uid), by)
    plane = slices.plane(_place(slices, image))
    with display.opened_volume(on, told.prior_uid, prior_series_uid, by=by) as view:
        volume = view.volume
        values, inside = rendering.sample_moved(volume.array, volume.grid, plane, found.map_points)
        values = np.rint(values) if view.is_hu else values
        return PriorSlice(np.where(inside, values, np.float32(np.nan)), view.unit)


def _on_picture(
    on: display.Context,
    told: Aligned,
    summary: timeline.AlignmentSummary,
    found: alignment.Alignment,
    image: Image,
    *,
    by: access.Person,
) -> PriorSlice:
    """Return the prior of two single images on the current one."""
    sop_uid, prior_sop_uid = summary.images or ("", "")
    if image.sop_uid != sop_uid:
        raise NotAligned("Another image of this study was aligned with the prior; show that one.")

    def drawn() -> PriorSlice:
        grids = routing.kept_grids(on.store.blobs, summary.key)
        with on.store.database.reading() as db:
            now, then = (archive.read_dataset(on.store, db, uid) for uid in (sop_uid, prior_sop_uid))
        with on.turns.taken():
            values = picture_on(now, then, found, grids)
        return PriorSlice(values, "HU" if then.get("Modality") == "CT" else "grey")

    for study_uid in (told.study_uid, told.prior_uid):
        audit.record_read(by, "display.read", on=study_uid)
    return on.shelf.get(("picture", summary.key), drawn, lambda made: made.values.nbytes)


def _prior_series(on: display.Context, told: Aligned, series_uid: str) -> str:
    """Return the series of the prior that shows what a series of the study shows: PET on PET, CT on CT."""
    with on.store.database.reading() as db:
        shown, lead = (archive.get_series(db, uid) for uid in (series_uid, told.study_series_uid))
        if {shown.study, lead.study} != {told.study_uid}:
            raise archive.SeriesNotHeld("The series does not belong to this study.", series=series_uid)
        if shown.modality == lead.modality:
            return told.prior_series_uid
        same = routing.same_in_prior(db, told.prior_uid, told.prior_series_uid, shown.modality)
    if same is None:
        raise NotAligned(f"The prior holds no {shown.modality} there; show the series that was aligned.")
    return same


def _require_same_unit(
    on: display.Context, told: Aligned, series: tuple[str, str], by: access.Person
) -> None:
    """Refuse PET in Bq/ml beside uptake: one window for both would show a change that is none."""
    studies = (told.study_uid, told.prior_uid)
    units = []
    for study_uid, series_uid in zip(studies, series, strict=True):
        with display.opened_volume(on, study_uid, series_uid, by=by) as view:
            units.append(view.unit)
    if units[0] != units[1]:
        raise NotAligned(
            f"The two are in different units ({units[0]}, {units[1]}): look at both side by side."
        )


def _place(slices: display.Slices, image: Image) -> int:
    for index, plane in enumerate(slices.planes):
        if (plane.sop_uid, plane.frame) == (image.sop_uid, image.frame):
            return index
    raise archive.InstanceNotHeld("The series holds no such image.")


def _alignment(on: display.Context, summary: timeline.AlignmentSummary) -> alignment.Alignment:
    if summary.verdict == "failed" or not summary.key:
        raise NotAligned(f"The two studies are not aligned: {summary.reason} Look at them side by side.")

    def read() -> alignment.Alignment:
        return alignment.Alignment.from_bytes(on.store.blobs.get(summary.key))

    return on.shelf.get(("alignment", summary.key), read, lambda made: 2 * made.displacement_mm.nbytes)
