"""Use cases of lesions: look at what a click cuts out, keep it as a finding."""

import io
import uuid
from dataclasses import replace

import numpy as np

from sightline.care import display, reporting, worklist
from sightline.care.lesions._clicking import clicked_at
from sightline.care.lesions._model import Click, Clicked
from sightline.intelligence import routing
from sightline.record import archive, findings, timeline
from sightline.runtime import events
from sightline.runtime.blobs import Blobs
from sightline.trust import access


def look(on: display.Context, study_uid: str, click: Click, *, by: access.Person) -> Clicked:
    """Return what a click cuts out; nothing is kept.

    Raises
    ------
    NoLesionHere
        If nothing stands out there.
    NotAVolume
        If the series is none.
    """
    access.require(by, "finding.mark", on=study_uid)
    with display.opened_volume(on, study_uid, click.series_uid, by=by) as view:
        return clicked_at(on, view, click)


def mark(on: display.Context, study_uid: str, click: Click, *, by: access.Person) -> findings.Finding:
    """Keep what a click cuts out as a finding; it counts by that person's word.

    Raises
    ------
    NoLesionHere
        If nothing stands out there.
    NotAVolume
        If the series is none.
    ReportAlreadySigned
        If the report of the study is signed.
    """
    access.require(by, "finding.mark", on=study_uid)
    with on.store.database.reading() as db:
        _refuse_signed(reporting.is_signed(db, study_uid, by=by))
        patient = archive.get_study(db, study_uid).patient
    clicked = look(on, study_uid, click, by=by)
    found = replace(clicked.found, mask_key=_keep_mask(on.store.blobs, clicked))
    with on.store.database.transaction() as db:
        worklist.hold_entry(db, study_uid)
        _refuse_signed(reporting.is_signed(db, study_uid, by=by))
        finding = findings.mark_finding(db, study_uid, patient, found, by=by)
        told = timeline.comparison_of(db, study_uid)
        if told is not None:
            routing.compare_again(db, on.store, told)
        events.publish(db, "FindingsChanged", study_uid)
        worklist.refresh_entry(db, study_uid)
    return finding


def _keep_mask(blobs: Blobs, clicked: Clicked) -> str:
    file = io.BytesIO()
    np.savez_compressed(file, mask=clicked.mask, offset_zyx=np.array(clicked.offset_zyx))
    key = f"masks/click-{uuid.uuid4().hex}/0.npz"
    blobs.put_if_absent(key, file.getvalue())
    return key


def _refuse_signed(signed: bool) -> None:
    if signed:
        raise reporting.ReportAlreadySigned("The report is signed, so its findings cannot change.")
