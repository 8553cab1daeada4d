"""Rejecting objects as IHE IOCM does it: with a note that other archives understand, sent and received.

A rejection note is a Key Object Selection whose title is the reason; what it references is rejected. Sources:
IHE RAD TF-2 4.66 (Rejection Note Stored), PS3.3 A.35.4 (Key Object Selection), PS3.16 CID 7011, TID 2010.
"""

import json
import zlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from io import BytesIO
from typing import Any
from uuid import uuid4

from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from sightline.kernel import clock
from sightline.kernel.errors import PlatformError
from sightline.record.archive import _store as store_
from sightline.record.archive._corrections import new_uid_of
from sightline.record.archive._intake import key_at
from sightline.record.archive._model import Incoming, Source, Store, StudyNotHeld
from sightline.record.archive._notes import (
    KEY_OBJECT_DESCRIPTION,
    KEY_OBJECTS,
    OWN,
    reject_instances,
    set_note_aside,
)
from sightline.record.archive._overlay import apply_overlay
from sightline.record.archive._parse import parse
from sightline.record.archive._recording import Placed, record
from sightline.record.archive._withheld import EXPIRED, REJECTION_REASONS, UnknownReason
from sightline.runtime.db import Db
from sightline.trust import access, audit


def reject(
    store: Store,
    study_uid: str,
    code: str,
    *,
    note: str,
    by: access.Person,
    series_uids: Sequence[str] = (),
    sop_uids: Sequence[str] = (),
) -> str:
    """Reject a study, or parts of it, for a reason of CID 7011; return the UID of the rejection note.

    The note is held in the study while there is something else in it, and is given out in any case.
    """
    access.require(by, "archive.reject", on=study_uid)
    if code not in REJECTION_REASONS:
        listed = ", ".join(f"{c} {meaning}" for c, meaning in REJECTION_REASONS.items())
        raise UnknownReason(f"There is no such reason; use one of {listed}.")
    with store.database.reading() as db:
        wanted = _wanted(db, study_uid, series_uids, sop_uids)
    content = build_note(wanted, code, note)
    parsed = parse(Incoming("rejection note", content), store.settings)
    key = key_at(clock.now(), parsed.hash)
    store.blobs.put_if_absent(key, content)
    named = [row["sop_uid"] for row in wanted["instances"]]
    # What has expired is not kept for ever, unless it is under legal hold.
    gone = clock.now() + timedelta(days=store.settings.trash_days) if code == EXPIRED else None
    try:
        with store.database.transaction() as db:
            reject_instances(db, study_uid, named, code, note, parsed.sop_uid, by, gone)
            record(db, [Placed(parsed, key, Source("internal", OWN, by), clock.now())])
            set_note_aside(db, parsed.study_uid, parsed.sop_uid, by)
            audit.record(
                db, "archive.reject", by=by, on=study_uid,
                code=code, instances=len(named), note=parsed.sop_uid,
            )  # fmt: skip
    except PlatformError:  # somebody else was faster: a note without its rejection must not stay
        store.blobs.delete(key)
        raise
    return parsed.sop_uid


def _wanted(db: Db, study_uid: str, series_uids: Sequence[str], sop_uids: Sequence[str]) -> dict[str, Any]:
    """Return what is to be rejected, and what its note says of study and patient."""
    packed = store_.oldest_metadata(db, study=study_uid)
    if packed is None:
        raise StudyNotHeld(f"No study {study_uid} is held.", study=study_uid)
    rows = store_.sops_of(db, study_uid, series_uids, sop_uids)
    study_overlay = store_.study_overlay(db, study_uid)
    return {
        "study": study_uid,
        "instances": rows,
        "attributes": apply_overlay(json.loads(zlib.decompress(packed)), study_overlay),
    }


_FROM_STUDY = (
    "00080005", "00080020", "00080030", "00080050", "00080090", "00100010", "00100020", "00100021",
    "00100030", "00100040", "0020000D", "00200010",
)  # fmt: skip


def build_note(wanted: Mapping[str, Any], code: str, note: str) -> bytes:
    """Return a rejection note as a Part 10 file (PS3.3 A.35.4, PS3.16 TID 2010)."""
    taken = {t: e for t, e in wanted["attributes"].items() if t in _FROM_STUDY}
    ds = Dataset.from_json(taken)
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.StudyInstanceUID = wanted["study"]
    for keyword in ("StudyDate", "StudyTime", "AccessionNumber", "ReferringPhysicianName", "StudyID"):
        if keyword not in ds:
            setattr(ds, keyword, "")
    for keyword in ("PatientName", "PatientID", "PatientBirthDate", "PatientSex"):
        if keyword not in ds:
            setattr(ds, keyword, "")
    now = clock.now()
    ds.SOPClassUID, ds.SOPInstanceUID = KEY_OBJECTS, new_uid_of(uuid4().int)
    ds.SeriesInstanceUID, ds.SeriesNumber, ds.InstanceNumber = new_uid_of(uuid4().int), 999, 1
    ds.Modality, ds.Manufacturer = "KO", "Sightline"
    ds.ReferencedPerformedProcedureStepSequence = []
    ds.ContentDate, ds.ContentTime = now.strftime("%Y%m%d"), now.strftime("%H%M%S")
    ds.TimezoneOffsetFromUTC = "+0000"
    ds.ValueType, ds.ContinuityOfContent = "CONTAINER", "SEPARATE"
    ds.ConceptNameCodeSequence = [_coded(code, "DCM", REJECTION_REASONS[code])]
    template = Dataset()
    template.MappingResource, template.TemplateIdentifier = "DCMR", "2010"
    ds.ContentTemplateSequence = [template]
    ds.ContentSequence = _content(wanted["instances"], note)
    ds.CurrentRequestedProcedureEvidenceSequence = [_evidence(wanted["study"], wanted["instances"])]
    ds.ReferencedRequestSequence = []
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    buffer = BytesIO()
    ds.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _coded(value: str, scheme: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def _content(instances: Sequence[Mapping[str, Any]], note: str) -> list[Dataset]:
    content = []
    if note.strip():
        text = Dataset()
        text.RelationshipType, text.ValueType, text.TextValue = "CONTAINS", "TEXT", note.strip()[:1000]
        text.ConceptNameCodeSequence = [_coded(*KEY_OBJECT_DESCRIPTION)]
        content.append(text)
    for row in instances:
        item = Dataset()
        item.RelationshipType = "CONTAINS"
        item.ValueType = "IMAGE" if row["frames"] else "COMPOSITE"
        item.ReferencedSOPSequence = [_reference(row)]
        content.append(item)
    return content


def _reference(row: Mapping[str, Any]) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = row["sop_class"], row["sop_uid"]
    return item


def _evidence(study_uid: str, instances: Sequence[Mapping[str, Any]]) -> Dataset:
    by_series: dict[str, list[Dataset]] = defaultdict(list)
    for row in instances:
        by_series[row["series"]].append(_reference(row))
    study = Dataset()
    study.StudyInstanceUID = study_uid
    study.ReferencedSeriesSequence = []
    for uid, references in sorted(by_series.items()):
        series = Dataset()
        series.SeriesInstanceUID, series.ReferencedSOPSequence = uid, references
        study.ReferencedSeriesSequence.append(series)
    return study
