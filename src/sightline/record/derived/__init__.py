"""What every object that we derive from images has in common: patient and study, maker, text, UIDs.

Invariants: patient and study are those of the source images; text is UTF-8 (ISO_IR 192) without control
characters; what is derived from simulated data says so in its series description.
"""

from sightline.record.derived._header import (
    CHARACTER_SET,
    MANUFACTURER,
    REPORT_SERIES,
    SIMULATED,
    IncompleteSource,
    device_uid,
    encode,
    local_time,
    patient_name,
    person_name,
    read_headers,
    series_description,
    software_version,
    stamp,
)
from sightline.record.derived._maps import Making, build_change_objects
from sightline.record.derived._measured import measurement_report
from sightline.record.derived._registered import (
    RegisteredSpace,
    SourceSpace,
    UnusableRegistration,
    read_registration,
)
from sightline.record.derived._registering import UntrustedAlignment, build_registration
from sightline.record.derived._texts import coded, deterministic_uid, plain, short_text, unquoted

__all__ = [
    "CHARACTER_SET",
    "MANUFACTURER",
    "REPORT_SERIES",
    "SIMULATED",
    "IncompleteSource",
    "Making",
    "RegisteredSpace",
    "SourceSpace",
    "UntrustedAlignment",
    "UnusableRegistration",
    "build_change_objects",
    "build_registration",
    "coded",
    "deterministic_uid",
    "device_uid",
    "encode",
    "local_time",
    "measurement_report",
    "patient_name",
    "person_name",
    "plain",
    "read_headers",
    "read_registration",
    "series_description",
    "short_text",
    "software_version",
    "stamp",
    "unquoted",
]
