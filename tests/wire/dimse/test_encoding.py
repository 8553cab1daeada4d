"""Answers by the short way read as pydicom would have written them."""

import json
from io import BytesIO

import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom.dsutils import decode

from sightline.wire.dimse._datasets import build_dataset, encode_dataset
from sightline.wire.dimse._encoding import encode_attributes

SYNTAXES = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian)
STUDY = {
    "00080020": {"vr": "DA", "Value": ["20240131"]},
    "00080052": {"vr": "CS", "Value": ["STUDY"]},
    "00080061": {"vr": "CS", "Value": ["CT", "SR"]},
    "00081030": {"vr": "LO"},
    "00100010": {"vr": "PN", "Value": [{"Alphabetic": "Müller^Jörg"}]},
    "00100020": {"vr": "LO", "Value": ["4711"]},
    "0020000D": {"vr": "UI", "Value": ["1.2.345"]},
    "00201208": {"vr": "IS", "Value": [120]},
}


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize(
    "attributes",
    [
        STUDY,
        {**STUDY, "00100010": {"vr": "PN", "Value": [{"Alphabetic": "Yamada", "Ideographic": "山田"}]}},
        {**STUDY, "00100010": {"vr": "PN", "Value": [{"Ideographic": "山田"}, {"Phonetic": "やまだ"}]}},
        {"00081140": {"vr": "SQ", "Value": [{"00081155": {"vr": "UI", "Value": ["1.2"]}}, {}]}},
        {"00081140": {"vr": "SQ"}, "00280010": {"vr": "US", "Value": [512]}},
        {"00101030": {"vr": "DS", "Value": [70.5]}, "00180050": {"vr": "DS", "Value": [1]}},
        {"0040A160": {"vr": "UT", "Value": ["x" * 70_000]}, "00280010": {"vr": "US"}},
        {"00080119": {"vr": "UC", "Value": ["a", "b"]}, "00080120": {"vr": "UR", "Value": ["http://x"]}},
    ],
)
@pytest.mark.parametrize("asked_in", [None, "ISO_IR 100", "ISO_IR 192", "\\ISO 2022 IR 87", "nonsense"])
def test_bytes_read_as_pydicom_would_have_written_them(attributes, syntax, asked_in):
    ours = encode_attributes(attributes, str(syntax), asked_in=asked_in)
    theirs = encode_dataset(build_dataset(attributes, asked_in=asked_in), str(syntax))

    read = [
        json.loads(decode(BytesIO(d), syntax.is_implicit_VR, True, syntax.is_deflated).to_json())
        for d in (ours, theirs)
    ]

    assert read[0] == read[1]


def test_a_text_too_long_for_its_representation_is_still_answered():
    long = {"00081030": {"vr": "LO", "Value": ["x" * 70_000]}}

    assert b"x" * 70_000 in encode_attributes(long, str(ExplicitVRLittleEndian))
