"""Our reading of headers agrees with pydicom's on every real file, and drops nothing that it drops."""

import io
import json
import logging
import warnings
from pathlib import Path

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.filereader import read_dataset

from sightline.record import archive
from sightline.record.archive._attributes import read_attributes
from sightline.record.archive._model import Incoming, ObjectRefused
from sightline.record.archive._parse import parse
from sightline.record.archive._scan import scan

BUNDLED = Path(pydicom.__file__).parent / "data"


def scans_of(folder):
    for path in sorted(folder.rglob("*")):
        content = path.read_bytes() if path.is_file() else b""
        if content[128:132] != b"DICM":
            continue
        try:
            yield path.name, scan(content)
        except ObjectRefused:
            continue


def pydicoms(found):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = read_dataset(io.BytesIO(found.header), found.implicit, found.little)
        return json.loads(
            json.dumps(dataset.to_json_dict(suppress_invalid_tags=True, bulk_data_threshold=10**9))
        )


def differences(ours, theirs, path=""):
    """Yield where pydicom has something that we have not, or another value."""
    for tag, expected in theirs.items():
        here = path + tag
        private, group_length = int(tag[:4], 16) & 1, tag.endswith("0000")
        if group_length or tag == "00080005":
            continue
        mine = ours.get(tag)
        if mine is None:
            yield here, "missing"
        elif "UN" in (mine["vr"], expected["vr"]):
            if not private and mine["vr"] == "UN" and "InlineBinary" not in mine:
                yield here, "bytes"
        elif mine["vr"] != expected["vr"]:
            yield here, mine["vr"], expected["vr"]
        elif mine["vr"] == "SQ":
            items = mine.get("Value", []), expected.get("Value", [])
            if len(items[0]) != len(items[1]):
                yield here, "items"
            for a, b in zip(*items, strict=False):
                yield from differences(a, b, here + ".")
        elif plain(mine) != plain(expected):
            yield here, plain(mine), plain(expected)


def plain(element):
    """What differs only in blanks or in how nothing is written is the same."""
    values = element.get("Value", [])
    return [element.get("InlineBinary"), *(v.strip() or None if isinstance(v, str) else v for v in values)]


@pytest.fixture
def quiet():
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.usefixtures("quiet")
def test_pydicoms_own_files_are_read_as_pydicom_reads_them():
    found = {name: list(differences(_ours(s), pydicoms(s))) for name, s in scans_of(BUNDLED)}

    assert len(found) > 100
    assert {name: d for name, d in found.items() if d} == {}


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize(
    "folder",
    ["charset-and-nasty", "multiframe-us-nm-dcm4che", "multiframe-us-xa-mg-wsi", "sr-seg", "rt", "ecg"],
)
def test_real_files_are_read_as_pydicom_reads_them(test_data, folder):
    found = {name: list(differences(_ours(s), pydicoms(s))) for name, s in scans_of(test_data / folder)}

    assert {name: d for name, d in found.items() if d} == {}


def _ours(found):
    attributes = read_attributes(found.header, implicit=found.implicit, little=found.little)
    json.dumps(attributes, allow_nan=False)
    return attributes


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_spoilt_file_is_read_or_refused_and_nothing_else(data):
    content = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    content = bytes(content[: data.draw(st.integers(0, len(content)))])

    try:
        parsed = parse(Incoming("spoilt", content), archive.ArchiveSettings())
    except ObjectRefused as error:
        assert str(error).endswith(".")
    else:
        assert len(parsed.sop_uid) <= 64


GOOD = (BUNDLED / "test_files" / "MR_small.dcm").read_bytes()
