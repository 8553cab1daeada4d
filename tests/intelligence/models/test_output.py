"""What a model may write, and what is refused of what it wrote: a model's files come from outside."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sightline.intelligence.models import ProposedLesion, UnusableOutput, read_output, write_output
from sightline.intelligence.models import _model as limits
from sightline.kernel.quantities import Quantity


def lesion(**overrides: Any) -> ProposedLesion:
    facts: dict[str, Any] = {
        "kind": "lung-nodule",
        "label": "right lung, nodule",
        "sop_uid": "1.2.3.1",
        "centre_lps_mm": (1.0, 2.0, 3.0),
        "values": {"volume": Quantity(400.0, "mm3", "counted", 350.0, 460.0)},
        "why": "round",
        "laterality": "R",
        "score": 0.9,
        "long_axis_lps_mm": ((0.0, 0.0, 3.0), (9.0, 0.0, 3.0)),
        "outline": (("1.2.3.1", 3.0, (((0.0, 0.0, 3.0), (1.0, 0.0, 3.0), (0.0, 1.0, 3.0)),)),),
        "offset_zyx": (1, 2, 3),
    }
    return ProposedLesion(**{**facts, **overrides})


@pytest.fixture
def answer(tmp_path: Path) -> dict[str, Any]:
    """The document of a good answer, to be spoilt by a test."""
    write_output(tmp_path, [lesion()], [np.ones((2, 2, 2), bool)], frame_of_reference_uid="1.9")
    return json.loads((tmp_path / "findings.json").read_text())


def test_an_answer_is_read_back_as_it_was_written(tmp_path):
    mask = np.zeros((2, 3, 4), bool)
    mask[1, 1, 1] = True
    write_output(
        tmp_path,
        [lesion(), lesion(laterality=None, score=None, offset_zyx=None, long_axis_lps_mm=None)],
        [mask, None],
        frame_of_reference_uid="1.9",
        remarks=["slices of 5 mm"],
    )

    output = read_output(tmp_path)

    assert output.lesions[0] == lesion()
    assert output.lesions[1].offset_zyx is None
    assert output.masks[0] is not None
    assert (output.masks[0] == mask).all()
    assert output.masks[1] is None
    assert (output.frame_of_reference_uid, output.remarks) == ("1.9", ("slices of 5 mm",))


def test_finding_nothing_is_an_answer(tmp_path):
    write_output(tmp_path, [], [], frame_of_reference_uid="1.9")

    assert read_output(tmp_path).lesions == ()


def test_an_answer_without_masks_is_read(tmp_path, answer):
    (tmp_path / "masks.npz").unlink()

    assert read_output(tmp_path).masks == (None,)


def test_no_file_is_no_answer(tmp_path):
    with pytest.raises(UnusableOutput, match=r"wrote no usable findings\.json"):
        read_output(tmp_path)


def test_a_link_to_elsewhere_is_not_followed(tmp_path, answer):
    elsewhere = tmp_path / "elsewhere.json"
    (tmp_path / "findings.json").rename(elsewhere)
    (tmp_path / "findings.json").symlink_to(elsewhere)

    with pytest.raises(UnusableOutput, match="no usable"):
        read_output(tmp_path)


@pytest.mark.parametrize(
    "spoil",
    [
        {"values": {"volume": {"value": float("nan"), "unit": "mm3", "method": "x"}}},
        {"values": {"volume": {"value": -4.0, "unit": "mm3", "method": "x"}}},
        {"values": {"volume": {"value": "much", "unit": "mm3", "method": "x"}}},
        {"values": {"volume": {"value": 4.0, "unit": "mm3", "method": "x", "low": float("inf")}}},
        {"values": {"volume": {"value": 4.0}}},
        {"values": None},
        {"centre_lps_mm": [0, 0]},
        {"centre_lps_mm": [0, 0, float("inf")]},
        {"outline": [["1.2", float("nan"), []]]},
        {"outline": [["1.2", 1.0]]},
        {"offset_zyx": [1, 2]},
        {"offset_zyx": [1, 2, float("inf")]},
        {"long_axis_lps_mm": [[0, 0, 0]]},
        {"laterality": "RIGHT"},
        {"score": "high"},
        {"score": float("nan")},
        {"label": None, "outline": None},
    ],
)
def test_a_lesion_that_is_not_of_the_stated_form_is_refused(tmp_path, answer, spoil):
    answer["lesions"][0] |= spoil
    (tmp_path / "findings.json").write_text(json.dumps(answer))

    with pytest.raises(UnusableOutput, match="does not have the stated form"):
        read_output(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '"x"',
        '{"lesions": {}}',
        '{"lesions": [7], "frame_of_reference_uid": ""}',
        "[" * 100_000,
    ],
)
def test_a_document_of_another_form_is_refused(tmp_path, text):
    (tmp_path / "findings.json").write_text(text)

    with pytest.raises(UnusableOutput, match="does not have the stated form"):
        read_output(tmp_path)


def test_bytes_that_are_no_text_are_refused(tmp_path):
    (tmp_path / "findings.json").write_bytes(b"\xff\xfe\x00{")

    with pytest.raises(UnusableOutput):
        read_output(tmp_path)


def test_more_lesions_than_anybody_reads_are_refused(tmp_path, answer):
    answer["lesions"] *= limits.MAX_LESIONS + 1
    (tmp_path / "findings.json").write_text(json.dumps(answer))

    with pytest.raises(UnusableOutput, match="501 lesions; at most 500"):
        read_output(tmp_path)


def test_words_are_put_on_one_line_and_cut(tmp_path, answer):
    answer["lesions"][0] |= {"label": "right\x00 lung,\nnodule " + 300 * "x", "why": "round\x1b[31m"}
    (tmp_path / "findings.json").write_text(json.dumps(answer))

    [read] = read_output(tmp_path).lesions

    assert read.label.startswith("right lung, nodule xxx")
    assert len(read.label) == 200
    assert read.why == "round[31m"


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"\x93NUMPY\x01\x00v\x00", b"not a zip"])
def test_masks_that_are_no_archive_are_refused(tmp_path, answer, content):
    (tmp_path / "masks.npz").write_bytes(content)

    with pytest.raises(UnusableOutput, match=r"masks\.npz cannot be read"):
        read_output(tmp_path)


def test_masks_cut_short_are_refused(tmp_path, answer):
    path = tmp_path / "masks.npz"
    path.write_bytes(path.read_bytes()[:-30])

    with pytest.raises(UnusableOutput):
        read_output(tmp_path)


def test_pickled_objects_are_never_loaded(tmp_path, answer):
    np.savez(tmp_path / "masks.npz", mask0=np.array([{"a": 1}], dtype=object))

    with pytest.raises(UnusableOutput, match="cannot be read"):
        read_output(tmp_path)


def test_masks_that_unpack_to_far_more_than_they_are_get_refused_unread(tmp_path, answer, monkeypatch):
    monkeypatch.setattr(limits, "MAX_MASK_BYTES", 1000)
    with zipfile.ZipFile(tmp_path / "masks.npz", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("mask0.npy", bytes(100_000))

    with pytest.raises(UnusableOutput, match="too large"):
        read_output(tmp_path)


def test_a_mask_that_is_no_volume_is_refused(tmp_path, answer):
    np.savez(tmp_path / "masks.npz", mask0=np.ones((4, 4), bool))

    with pytest.raises(UnusableOutput, match="not a volume"):
        read_output(tmp_path)
