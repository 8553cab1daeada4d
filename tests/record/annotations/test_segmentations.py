"""A label map becomes a segmentation, voxel for voxel."""

import gzip
import json
import struct
from dataclasses import asdict
from io import BytesIO

import highdicom as hd
import numpy as np
import pytest

from sightline.record import annotations, archive
from sightline.record.annotations import Painted, PaintedSlice, Segment

from .test_saving import complaints

STUDY, SERIES = "1.2.3", "1.2.3.1"
KIDNEY = ("64033007", "SCT", "Kidney")
ORGAN = ("91723000", "SCT", "Anatomical structure")


@pytest.fixture
def database(sqlite):
    return sqlite


@pytest.fixture(autouse=True)
def study(receive, reads):
    return receive(STUDY)


def painted(layers: int = 1, **changes) -> Painted:
    facts = {
        "reference_series_uid": SERIES,
        "slices": [PaintedSlice(f"{SERIES}.{n}") for n in (4, 2, 1, 3)],
        "rows": 16,
        "columns": 16,
        "layers": layers,
        "label": "kidneys",
        "segments": [
            Segment(1, "left kidney", "#4aa3ff", ORGAN, KIDNEY, tracking_uid="2.25.31"),
            Segment(2, "cyst", algorithm="semiautomatic", algorithm_name="brush"),
        ],
    }
    return Painted(**(facts | changes))


@pytest.fixture
def voxels():
    """Two overlapping segments in two layers, on two of four slices."""
    array = np.zeros((2, 4, 16, 16), np.uint8)
    array[0, 1, 2:9, 3:12] = 1
    array[0, 2, 4:6, 4:6] = 1
    array[1, 1, 5:12, 8:14] = 2
    return array


def body(head: Painted, array, *, packed: bool = False) -> bytes:
    header = json.dumps(asdict(head)).encode()
    data = struct.pack("<I", len(header)) + header + array.tobytes()
    return gzip.compress(data) if packed else data


def read(store, sop_uid: str) -> hd.seg.Segmentation:
    with store.database.reading() as db:
        return hd.seg.segread(BytesIO(archive.instance_bytes(store, db, sop_uid)))


def stored(seg: hd.seg.Segmentation, uids: list[str]):
    return seg.get_pixels_by_source_instance(
        source_sop_instance_uids=uids, ignore_spatial_locations=False, assert_missing_frames_are_empty=True
    )


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_every_voxel_lies_where_it_was_painted(store, radiologist, voxels, packed, tmp_path):
    head = painted(2)
    written = annotations.save_segmentation(
        store, STUDY, body(head, voxels, packed=packed), by=radiologist, gzipped=packed
    )
    planes = stored(read(store, written.sop_uid), [s.sop_uid for s in head.slices])

    assert np.array_equal(planes[..., 0], voxels[0] == 1)
    assert np.array_equal(planes[..., 1], voxels[1] == 2)
    assert complaints(store, written.sop_uid, tmp_path) == []


def test_a_segmentation_is_described_with_its_segments(store, radiologist, voxels):
    written = annotations.save_segmentation(store, STUDY, body(painted(2), voxels), by=radiologist)
    found, _ = annotations.open_annotations(store, STUDY, by=radiologist)
    (described,) = found.segmentations
    first, second = described.segments

    assert (described.uid, described.reference_series_uid, described.label) == (
        written.sop_uid,
        SERIES,
        "kidneys",
    )
    assert (first.label, first.type, first.category, first.tracking_uid) == (
        "left kidney", KIDNEY, ORGAN, "2.25.31"
    )  # fmt: skip
    assert first.algorithm == "manual"
    assert (second.algorithm, second.algorithm_name) == ("semiautomatic", "brush")
    # Through CIELab and back a colour keeps its look, not every bit.
    colour = [int(first.colour[i : i + 2], 16) for i in (1, 3, 5)]
    assert colour == pytest.approx([0x4A, 0xA3, 0xFF], abs=3)
    assert described.source.own


def test_an_edited_segmentation_takes_the_place_of_the_old(store, radiologist, colleague, voxels):
    first = annotations.save_segmentation(store, STUDY, body(painted(2), voxels), by=radiologist)
    head = painted(2, replaces=first.sop_uid)
    second = annotations.save_segmentation(store, STUDY, body(head, voxels), by=colleague)
    found, _ = annotations.open_annotations(store, STUDY, by=radiologist)

    assert [s.uid for s in found.segmentations] == [second.sop_uid]
    assert second.series_uid == first.series_uid
    with pytest.raises(annotations.UnusableLabelmap, match="newest"):
        annotations.save_segmentation(store, STUDY, body(head, voxels), by=radiologist)


@pytest.mark.parametrize(
    ("change", "array", "words"),
    [
        ({}, np.zeros((1, 4, 16, 16), np.uint8), "No voxel"),
        ({}, np.full((1, 4, 16, 16), 3, np.uint8), "not described"),
        ({}, np.ones((1, 4, 16, 15), np.uint8), "header tells"),
        ({"rows": 15}, np.ones((1, 4, 15, 16), np.uint8), "other rows"),
        ({"slices": [PaintedSlice("1.2.9")]}, np.ones((1, 1, 16, 16), np.uint8), "does not hold"),
        ({"reference_series_uid": "1.2.9"}, np.ones((1, 4, 16, 16), np.uint8), "not of the series"),
    ],
)
def test_a_label_map_that_does_not_fit_is_refused(store, radiologist, change, array, words):
    with pytest.raises(Exception, match=words) as refused:
        annotations.save_segmentation(store, STUDY, body(painted(**change), array), by=radiologist)

    assert refused.value.code in {"nothing-segmented", "unusable-labelmap", "image-not-in-study"}


@pytest.mark.parametrize("data", [b"", b"\xff\xff\xff\xff", b"\x02\0\0\0{}", b"\x02\0\0\0[]xxxx"])
def test_a_broken_body_is_refused(store, radiologist, data):
    with pytest.raises(annotations.UnusableLabelmap):
        annotations.save_segmentation(store, STUDY, data, by=radiologist)
    with pytest.raises(annotations.UnusableLabelmap):
        annotations.save_segmentation(store, STUDY, data, by=radiologist, gzipped=True)


def test_a_label_map_comes_in_over_http(store, log_in, voxels):
    answer = log_in("radiologist").post(
        f"/api/studies/{STUDY}/annotations/segmentations",
        content=body(painted(2), voxels, packed=True),
        headers={"Content-Encoding": "gzip", "Content-Type": "application/octet-stream"},
    )

    assert answer.status_code == 201, answer.text
    assert answer.json()["kind"] == "SEG"
