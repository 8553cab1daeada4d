"""Studies as the archive's pages list them: with labels, holds, what is missing and what is in conflict."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from sightline.record.archive import _store as store_
from sightline.record.archive._completeness import missing_of
from sightline.record.archive._model import Page, Series, SeriesQuery, Study
from sightline.record.archive._search import search_text
from sightline.record.archive._service import get_study
from sightline.runtime.db import Db
from sightline.trust import access

State: TypeAlias = Literal["", "arriving", "incomplete", "held"]


@dataclass(frozen=True, slots=True)
class Listed:
    """A study, its patient's issuer, and what is said of it."""

    study: Study
    issuer: str
    labels: tuple[str, ...]
    on_hold: bool
    expected: int | None
    missing: int | None
    conflicts: int


@dataclass(frozen=True, slots=True)
class Listing:
    """What to list: words that a study's texts begin with or hold, and what it is like."""

    text: str = ""
    modality: str = ""
    since: str = ""
    until: str = ""
    label: str = ""
    state: State = ""


def list_studies(
    db: Db, wanted: Listing, *, by: access.Person, limit: int = 50, after: tuple[str, ...] | None = None
) -> Page[Listed]:
    """Return one page of studies, newest first; `after` is the `next` of the page before."""
    access.require(by, "archive.read")
    page = search_text(
        db, wanted.text, modality=wanted.modality, since=wanted.since, until=wanted.until,
        label=wanted.label, state=wanted.state, limit=limit, after=after,
    )  # fmt: skip
    return Page(tuple(describe(db, page.items)), page.next)


def describe(db: Db, studies: Sequence[Study]) -> list[Listed]:
    """Return studies with what is said of them: a few questions for all."""
    uids = [study.uid for study in studies]
    if not uids:
        return []
    labels, on_hold = store_.labels_of(db, uids), store_.holds_under(db, uids)
    missing, conflicts = missing_of(db, uids), store_.count_conflicts(db, uids)
    issuers = store_.owners_of_studies(db, uids)
    found = []
    for study in studies:
        said = missing.get(study.uid)
        found.append(
            Listed(
                study=study,
                issuer=issuers.get(study.uid, ("", ""))[0],
                labels=tuple(labels.get(study.uid, ())),
                on_hold=study.uid in on_hold,
                expected=said.expected if said else None,
                missing=said.missing if said else None,
                conflicts=conflicts.get(study.uid, 0),
            )
        )
    return found


def get_listed(db: Db, study_uid: str, *, by: access.Person) -> Listed:
    """Return one study as lists show it, or refuse."""
    access.require(by, "archive.read", on=study_uid)
    return describe(db, [get_study(db, study_uid)])[0]


@dataclass(frozen=True, slots=True)
class SeriesDetails:
    """A series as the page of its study shows it."""

    series: Series
    transfer_syntaxes: tuple[str, ...]


def series_details(db: Db, study_uid: str) -> list[SeriesDetails]:
    """Return the series of a study, with what their objects are written in."""
    syntaxes = store_.syntaxes_of(db, study_uid)
    rows = store_.series_where(db, SeriesQuery(study=study_uid))
    return [SeriesDetails(row, tuple(syntaxes.get(row.uid, ()))) for row in rows]
