"""What a person chooses for a response: criterion, time points, lesions and what was seen of them."""

from datetime import date
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic import model_validator as check_model

from sightline.kernel.errors import Conflict, Invalid, NotFound
from sightline.science import response

MOST_POINTS = 60
MOST_LESIONS = 200
PRINTABLE = r"^[^\x00-\x1f\x7f-\x9f]*$"

Uid = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[0-9]+(\.[0-9]+)*$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=120, pattern=PRINTABLE)]
Words = Annotated[str, StringConstraints(max_length=120, pattern=PRINTABLE)]
Length = Annotated[float, Field(ge=0, lt=1000)]


class ResponseChangedMeanwhile(Conflict):
    """Someone changed the response since you opened it; look at it again, then say it once more."""


class NothingToTakeBack(Conflict):
    """Nobody has kept anything for this patient, or everything was taken back already."""


class UnusablePlan(Invalid):
    """What was chosen contradicts itself; the message says what to change."""


class NoResponseYet(NotFound):
    """There is nothing to evaluate: choose a baseline and at least one lesion first."""


class _Part(BaseModel):
    """What a plan is made of: frozen, and without room for names that we do not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ReferenceUptake(_Part):
    """Uptake of normal tissue as SUL in g/ml (PERCIST)."""

    liver_mean: Length | None = None
    liver_sd: Length | None = None
    aorta_mean: Length | None = None
    aorta_sd: Length | None = None
    liver_is_diseased: bool = False


class PlannedPoint(_Part):
    """One time point: the studies it is made of, and what the criterion asks of it.

    The first study names the time point. Clinical state and steroids are compared with the baseline.
    """

    studies: tuple[Uid, ...] = Field(min_length=1, max_length=8)
    slice_mm: Annotated[float, Field(gt=0, lt=100)] | None = None
    clinical: response.Clinical | None = None
    steroids: response.Steroids | None = None
    new_symptoms: bool = False
    deauville: Annotated[int, Field(ge=1, le=5)] | None = None
    uptake: response.Uptake | None = None
    spleen_mm: Annotated[float, Field(gt=0, lt=1000)] | None = None
    reference: ReferenceUptake | None = None

    @property
    def id(self) -> str:
        """The study that names the time point."""
        return self.studies[0]


class Judgement(_Part):
    """A person's word on one lesion at one time point; what is left out follows the kept finding.

    Numbers replace those of the finding and have no interval of their own.
    """

    state: response.State | None = None
    into: tuple[Uid, ...] = Field(default=(), max_length=8)
    grew: bool | None = None
    new_nodule: bool = False
    long_axis_mm: Length | None = None
    short_axis_mm: Length | None = None
    viable_mm: Length | None = None
    volume_mm3: Annotated[float, Field(ge=0, lt=1e8)] | None = None
    sul_peak: Length | None = None
    tlg_g: Annotated[float, Field(ge=0, lt=1e6)] | None = None
    density_hu: Annotated[float, Field(gt=-2000, lt=10000)] | None = None


class PlannedLesion(_Part):
    """One lesion and its part in the evaluation; `judgements` are by the id of the time point."""

    tracking_uid: Uid
    label: Name
    organ: Words = ""
    role: response.Role
    is_node: bool = False
    pattern: response.Pattern | None = None
    component: response.Component = "enhancing"
    out_of_field: bool = False
    judgements: dict[str, Judgement] = Field(default={}, max_length=MOST_POINTS)


class Protocol(_Part):
    """What a protocol may choose; nothing said leaves what the criterion itself says."""

    sticky_response: bool = False
    confirm_response: bool | None = None
    minimum_stable_days: Annotated[int, Field(ge=0, le=3650)] | None = None
    immunotherapy: bool = False


class Plan(_Part):
    """All that a person chose for one patient; the first time point is the baseline.

    `left_out` are studies and lesions that a person does not want to be asked about again.
    """

    criterion: Annotated[str, StringConstraints(max_length=64)] = "recist-1.1"
    treatment: Words = ""
    treatment_start: date | None = None
    treatment_end: date | None = None
    radiotherapy_end: date | None = None
    protocol: Protocol = Protocol()
    points: tuple[PlannedPoint, ...] = Field(default=(), max_length=MOST_POINTS)
    lesions: tuple[PlannedLesion, ...] = Field(default=(), max_length=MOST_LESIONS)
    left_out: tuple[Uid, ...] = Field(default=(), max_length=1000)

    @check_model(mode="after")
    def _each_once(self) -> Self:
        studies = [uid for point in self.points for uid in point.studies]
        if len(set(studies)) < len(studies):
            raise ValueError("a study should be in one time point only")
        lesions = [lesion.tracking_uid for lesion in self.lesions]
        if len(set(lesions)) < len(lesions):
            raise ValueError("a lesion should be in the plan once only")
        if self.treatment_start and self.treatment_end and self.treatment_end < self.treatment_start:
            raise ValueError("the treatment should not end before it starts")
        return self

    @property
    def options(self) -> response.Options:
        """The protocol's choices as the criteria take them."""
        return response.Options(**self.protocol.model_dump())


def organ_of(kind: str, label: str) -> tuple[str, bool]:
    """Return the organ that a finding's kind and label speak of, empty where they do not, and whether a node.

    >>> organ_of("lung-nodule", "right lung, upper third, nodule")
    ('lung', False)
    >>> organ_of("measurement", "axillary lymph node left")
    ('lymph node', True)
    """
    said = f"{kind} {label}".lower().replace("-", " ")
    words = said.replace(",", " ").split()
    if {"node", "nodes", "lymphnode", "lymph"} & set(words):
        return "lymph node", True
    found = next((organ for word, organ in ORGANS if any(w.startswith(word) for w in words)), "")
    return found, False


ORGANS = (
    ("lung", "lung"), ("pulmon", "lung"), ("pleura", "pleura"), ("liver", "liver"), ("hepat", "liver"),
    ("brain", "brain"), ("cereb", "brain"), ("adrenal", "adrenal gland"), ("kidney", "kidney"),
    ("renal", "kidney"), ("spleen", "spleen"), ("splen", "spleen"), ("pancrea", "pancreas"),
    ("bone", "bone"), ("vertebra", "bone"), ("rib", "bone"), ("periton", "peritoneum"), ("breast", "breast"),
    ("thyroid", "thyroid"), ("skin", "skin"), ("muscle", "muscle"), ("prostat", "prostate"),
    ("bladder", "bladder"), ("ovar", "ovary"), ("stomach", "stomach"), ("colon", "colon"),
)  # fmt: skip
"""Beginnings of words that name an organ."""
