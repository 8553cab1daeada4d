"""What a source is asked, and its answers read: C-FIND and QIDO-RS at the level of studies."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from sightline.kernel.texts import one_line
from sightline.record import archive, timeline
from sightline.wire import peers, transfers
from sightline.wire.priors._model import Find, Subject, Who

MOST_ANSWERS = 200
_ID, _ISSUER, _NAME, _BIRTH, _SEX = "00100020", "00100021", "00100010", "00100030", "00100040"
_UID, _DATE, _TIME, _EXAM = "0020000D", "00080020", "00080030", "00081030"
_MODALITIES, _IMAGES = "00080061", "00201208"
_UID_FORM = re.compile(r"[0-9.]{1,64}")
_FIELDS = (_ISSUER, _NAME, _BIRTH, _SEX, _UID, _DATE, _TIME, _EXAM, _MODALITIES, _IMAGES)


def is_askable(patient_id: str) -> bool:
    """Say whether an ID can be asked for: nothing in it stands for other characters (PS3.4 C.2.2.2)."""
    return bool(patient_id) and not set(patient_id) & set('*?\\"')


def ask(there: transfers.Server | peers.Peer, subject: Subject, timeout_s: float) -> list[Find]:
    """Ask a source for all studies of the ID of a patient.

    The issuer is asked for and compared here, since archives of one hospital often leave it out and would
    then find nothing.
    """
    answers = transfers.find_studies_at(
        there, {_ID: subject.who.patient_id}, _FIELDS, most=MOST_ANSWERS, timeout_s=timeout_s
    )
    return list(_read(answers, subject, transfers.name_of(there)))


def _read(answers: Sequence[archive.Attributes], subject: Subject, source: str) -> Iterator[Find]:
    seen = {subject.study_uid}
    for answer in answers:
        uid = _text(answer, _UID)
        if not _UID_FORM.fullmatch(uid) or uid in seen:
            continue
        seen.add(uid)
        yield Find(
            study_uid=subject.study_uid, source=source, prior_uid=uid, who=_who(answer),
            date=_text(answer, _DATE)[:8], time=_text(answer, _TIME)[:16],
            modality="/".join(_modalities(answer))[:64], exam=_text(answer, _EXAM)[:200],
            images=_number(_text(answer, _IMAGES)), state="left",
        )  # fmt: skip


def _who(answer: archive.Attributes) -> Who:
    return Who(*(_text(answer, tag)[:200] for tag in (_ID, _ISSUER, _NAME, _BIRTH, _SEX)))


def _values(answer: archive.Attributes, tag: str) -> list[object]:
    element = answer.get(tag)
    values = element.get("Value") if isinstance(element, dict) else None
    return values if isinstance(values, list) else []


def _text(answer: archive.Attributes, tag: str) -> str:
    value = next(iter(_values(answer, tag)), "")
    if isinstance(value, dict):  # a person name
        parts = [value.get(group) for group in ("Alphabetic", "Ideographic", "Phonetic")]
        value = "=".join(part if isinstance(part, str) else "" for part in parts).rstrip("=")
    return one_line(str(value)) if isinstance(value, str | int | float) else ""


def _modalities(answer: archive.Attributes) -> list[str]:
    found = [str(v) for v in _values(answer, _MODALITIES) if isinstance(v, str)]
    images = [m for m in found if m not in timeline.DERIVED_MODALITIES]
    return sorted(images or found)


def _number(text: str) -> int:
    return int(text) if text.isdigit() and len(text) < 8 else 0


def candidate_of(find: Find) -> timeline.Candidate:
    """Return an earlier study as the ranking sees it."""
    told = timeline.describe(
        find.prior_uid, timeline.study_moment(find.date, find.time), find.modality, find.exam, find.images
    )
    return replace(told, timed=timeline.states_time(find.time))
