"""HTTP face of priors held elsewhere."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, Field

from sightline.kernel.dates import iso_date
from sightline.kernel.names import display_name
from sightline.runtime.http import Snapshot, Tx
from sightline.trust.identity import Caller
from sightline.wire import priors

router = APIRouter(tags=["priors"])

STUDY = "/studies/{study_uid}/priors"
UID = r"^[0-9.]{1,64}$"
Uid = Annotated[str, Path(pattern=UID)]


class SourceAsked(BaseModel):
    """A source that was asked; `error` says why it has not answered, though it may still be tried again."""

    source: str
    state: Literal["waiting", "answered", "failed"]
    found: int
    error: str
    due_at: datetime
    ended_at: datetime | None


class NamedPatient(BaseModel):
    """The patient as the source names them."""

    patient_id: str
    issuer: str
    name: str
    birth_date: str
    sex: str


class PriorElsewhere(BaseModel):
    """An earlier study that a source told of: `why` it ranks where it does, the `reason` of its state.

    `done` and `total` count its images while it comes.
    """

    study_uid: str
    source: str
    patient: NamedPatient
    date: str
    modality: str
    exam: str
    images: int
    state: Literal["coming", "held", "left", "doubtful", "dismissed"]
    why: str
    reason: str
    done: int
    total: int
    under_way: bool
    error: str


class PriorsElsewhere(BaseModel):
    """A study's priors held elsewhere; `text` says in a line how it stands."""

    text: str
    sources: list[SourceAsked]
    items: list[PriorElsewhere]


class SearchBody(BaseModel):
    """Why the sources are asked: the study was opened, or a person wants it now."""

    trigger: Literal["opening", "person"] = "person"


class StandingBody(BaseModel):
    """The studies of a page of a list."""

    study_uids: list[Annotated[str, Field(pattern=UID)]] = Field(max_length=200)


class StandingView(BaseModel):
    """How a study's priors held elsewhere stand: one state, and in `text` all of it.

    `fetched` of the `wanted` studies have come; `open` wait for a person.
    """

    study_uid: str
    state: Literal["fetching", "doubtful", "failed", "asking", "arrived"]
    fetched: int
    wanted: int
    open: int
    text: str


class Standings(BaseModel):
    """Studies of which there is something to tell."""

    items: list[StandingView]


@router.post("/priors/standings")
def find_standings(body: StandingBody, caller: Caller, db: Snapshot) -> Standings:
    """Return how it stands with the priors of a page of studies; those with nothing to tell are left out."""
    known = priors.standings_of(db, body.study_uids, by=caller)
    return Standings(items=[StandingView(study_uid=uid, **asdict(one)) for uid, one in known.items()])


@router.get(f"{STUDY}/elsewhere")
def get_priors_elsewhere(study_uid: Uid, caller: Caller, db: Snapshot) -> PriorsElsewhere:
    """Return how it stands with a study's priors that are held elsewhere."""
    return _view(priors.elsewhere_of(db, study_uid, by=caller))


@router.post(f"{STUDY}/search", status_code=202)
def search_priors(
    study_uid: Uid, body: SearchBody, request: Request, caller: Caller, db: Tx
) -> PriorsElsewhere:
    """Ask the sources for earlier studies; one that answered lately only when a person wants."""
    settings: priors.PriorSettings = request.app.state.prior_settings
    if body.trigger == "opening" and not settings.on_opening:
        return _view(priors.elsewhere_of(db, study_uid, by=caller))
    return _view(priors.request_search(db, study_uid, body.trigger, settings, by=caller))


@router.post(f"{STUDY}/{{prior_uid}}/take", status_code=202)
def take_prior(study_uid: Uid, prior_uid: Uid, caller: Caller, db: Tx) -> PriorsElsewhere:
    """Take an earlier study for the patient's: it is fetched and given to them, which can be undone."""
    return _view(priors.take_prior(db, study_uid, prior_uid, by=caller))


@router.post(f"{STUDY}/{{prior_uid}}/dismiss")
def dismiss_prior(study_uid: Uid, prior_uid: Uid, caller: Caller, db: Tx) -> PriorsElsewhere:
    """Say that an earlier study is not the patient's."""
    return _view(priors.dismiss_prior(db, study_uid, prior_uid, by=caller))


def _view(known: priors.Elsewhere) -> PriorsElsewhere:
    return PriorsElsewhere(
        text=known.text,
        sources=[
            SourceAsked(
                source=s.source, state=s.state, found=s.found, error=s.error, due_at=s.due_at,
                ended_at=s.ended_at,
            )
            for s in known.searches
        ],
        items=[_item(one) for one in known.finds],
    )  # fmt: skip


def _item(one: priors.Coming) -> PriorElsewhere:
    find, who = one.find, one.find.who
    patient = NamedPatient(
        patient_id=who.patient_id, issuer=who.issuer, name=display_name(who.name),
        birth_date=iso_date(who.birth_date), sex=who.sex,
    )  # fmt: skip
    return PriorElsewhere(
        study_uid=find.prior_uid, source=find.source, patient=patient, date=iso_date(find.date),
        modality=find.modality, exam=find.exam, images=find.images, state=find.state, why=find.why,
        reason=find.reason, done=one.done, total=one.total, under_way=one.under_way, error=one.error,
    )  # fmt: skip
