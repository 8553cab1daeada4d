"""Who writes, when, and under which series: what every object of annotations shares."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import highdicom as hd
from highdicom.sr import CodedConcept
from highdicom.sr import templates as tid
from pydicom import Dataset
from pydicom.sr.codedict import codes

from sightline.record import derived
from sightline.record.annotations._documents._concepts import OURS, key_of
from sightline.record.derived import MANUFACTURER


@dataclass(frozen=True, slots=True)
class Author:
    """The person who drew, the moment of saving, and whether the study is simulated."""

    id: str
    name: str
    at: datetime
    simulated: bool


def series_uid_for(study_uid: str, person: str, kind: str, part: str = "") -> str:
    """Return the series that one person's objects of a kind are versions in.

    `part` tells apart what is held as several objects of a kind.
    """
    return derived.deterministic_uid("sightline", study_uid, "annotations", person, kind, part)


def new_uid() -> str:
    """Return a UID that nothing has yet."""
    return str(hd.UID())


def common(headers: Sequence[Dataset], author: Author, *, series_uid: str, version: int) -> dict[str, Any]:
    """Return the arguments that every highdicom constructor of ours takes."""
    local = derived.local_time(headers[0], author.at)
    return {
        "series_instance_uid": series_uid,
        "sop_instance_uid": hd.UID(),
        "instance_number": version,
        "manufacturer": MANUFACTURER,
        "manufacturer_model_name": MANUFACTURER,
        "software_versions": derived.software_version(),
        "device_serial_number": derived.device_uid(),
        "content_date": local.date(),
        "content_time": local.time(),
        "specific_character_set": derived.CHARACTER_SET,
    }


def finish(ds: Dataset, source: Dataset, header: Dataset, author: Author) -> None:
    """Put on what the library takes from the clock, and the patient's name."""
    derived.stamp(ds, header, author.at)
    ds.PatientName = derived.patient_name(source)


def observers(author: Author) -> tid.ObservationContext:
    """TID 1002: the person who drew, then the software that measured."""
    return tid.ObservationContext(observer_person_context=person(author), observer_device_context=device())


def person(author: Author) -> tid.ObserverContext:
    """Return the person who drew (TID 1003)."""
    attributes = tid.PersonObserverIdentifyingAttributes(name=derived.person_name(author.name))
    return tid.ObserverContext(codes.DCM.Person, attributes)


def device() -> tid.ObserverContext:
    """Return this software (TID 1004)."""
    attributes = tid.DeviceObserverIdentifyingAttributes(
        uid=derived.device_uid(),
        name=MANUFACTURER,
        manufacturer_name=MANUFACTURER,
        model_name=f"{MANUFACTURER} {derived.software_version()}",
    )
    return tid.ObserverContext(codes.DCM.Device, attributes)


def identity(author: Author) -> hd.ContentCreatorIdentificationCodeSequence:
    """Return who made it as a code: the opaque id by which the house knows the person."""
    code = CodedConcept(author.id, OURS, derived.short_text(author.name) or author.id)
    return hd.ContentCreatorIdentificationCodeSequence(
        person_identification_codes=[code], institution_name=MANUFACTURER
    )


def identity_of(ds: Dataset) -> str:
    """Return the id of the person who made an object of ours, empty where it does not say."""
    for creator in ds.get("ContentCreatorIdentificationCodeSequence") or []:
        for code in creator.get("PersonIdentificationCodeSequence") or []:
            value, scheme = key_of(code)
            if scheme == OURS:
                return value
    return ""
