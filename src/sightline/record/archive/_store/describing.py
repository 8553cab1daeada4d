"""What a search tells of each object it found."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import FromClause, func, select

from sightline.record.archive._matching import (
    Level,
)
from sightline.record.archive._store.attributes import (
    study_classes,
)
from sightline.record.archive._store.tables import instances, patients, series, studies
from sightline.runtime.db import Db


def described(db: Db, level: Level, uids: Sequence[str]) -> list[Mapping[str, Any]]:
    """Return what a search tells of each object; `key` is its UID, of a patient the opaque id."""
    if not uids:
        return []
    p, s, e, i = patients.c, studies.c, series.c, instances.c
    shown = (p.name, p.patient_id, p.birth_date, p.sex)
    columns: list[Any] = [p.issuer, p.id.label("patient")]
    tables: FromClause = patients
    key = p.id
    if level != "patient":
        shown = (s.name, s.patient_id, s.birth_date, s.sex)
        names = (
            "date time accession modalities referring description uid study_id series_count instance_count"
        )
        columns += [s[name] for name in names.split()]
        tables, key = tables.join(studies, s.patient == p.id), s.uid
    if level in {"series", "instance"}:
        names = "date time description body_part uid number instance_count"
        columns += [e[name].label(f"series_{name}") for name in names.split()]
        columns += [e.modality, e.performed_date, e.performed_time, e.request_attributes]
        tables, key = tables.join(series, e.study == s.uid), e.uid
    if level == "instance":
        names = "sop_class sop_uid transfer_syntax number frames rows columns bits"
        columns += [i[name] for name in names.split()]
        tables, key = tables.join(instances, i.series == e.uid), i.sop_uid
    wanted = select(key.label("key"), *shown, *columns).select_from(tables).where(key.in_(list(uids)))
    return [dict(row) for row in db.execute(wanted).mappings()]


def counts_of_patients(db: Db, ids: Iterable[str]) -> dict[str, dict[str, int]]:
    """Return how many studies, series and instances are held of each patient."""
    c = studies.c
    wanted = select(
        c.patient,
        func.count().label("studies"),
        func.sum(c.series_count).label("series"),
        func.sum(c.instance_count).label("instances"),
    ).where(c.patient.in_(list(ids)))
    return {
        row.patient: {"studies": row.studies, "series": int(row.series), "instances": int(row.instances)}
        for row in db.execute(wanted.group_by(c.patient))
    }


def classes_of_studies(db: Db, uids: Iterable[str]) -> dict[str, list[str]]:
    """Return the SOP classes of each study."""
    c = study_classes.c
    found: dict[str, list[str]] = {}
    wanted = select(c.study, c.sop_class).where(c.study.in_(list(uids))).order_by(c.study, c.sop_class)
    for row in db.execute(wanted):
        found.setdefault(row.study, []).append(row.sop_class)
    return found


def first_metadata(db: Db, level: Level, uids: Sequence[str]) -> dict[str, Sequence[Any]]:
    """Return the compressed DICOM JSON of one instance of each object, and what is to be set in it."""
    c = instances.c
    if level == "instance":
        of = {uid: uid for uid in uids}
    else:
        newest = select(studies.c.uid).where(studies.c.patient == patients.c.id)
        latest = newest.order_by(studies.c.date.desc(), studies.c.uid.desc()).limit(1).scalar_subquery()
        key, home = {
            "patient": (patients.c.id, c.study == latest),
            "study": (studies.c.uid, c.study == studies.c.uid),
            "series": (series.c.uid, c.series == series.c.uid),
        }[level]
        one = select(c.sop_uid).where(home).limit(1).scalar_subquery()
        rows = db.execute(select(key, one).where(key.in_(uids)))
        of = {sop_uid: uid for uid, sop_uid in rows if sop_uid}
    at = instances.join(series, series.c.uid == c.series).join(studies, studies.c.uid == c.study)
    packed = select(c.sop_uid, c.metadata_gz, studies.c.overlay, series.c.overlay.label("of_series"))
    found = db.execute(packed.select_from(at).where(c.sop_uid.in_(list(of))))
    return {of[sop_uid]: rest for sop_uid, *rest in found}
