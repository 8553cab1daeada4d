"""Annotations on real images of many kinds, judged by dciodvfy; other programs' annotations read."""

import io
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file

import sightline.app.registry
import sightline.app.tables  # noqa: F401  every table, job and listener
from sightline.care import reading
from sightline.record import annotations, archive
from sightline.record.annotations import (
    Area,
    Content,
    Graphic,
    KeyImage,
    Measurement,
    Painted,
    PaintedSlice,
    Presentation,
    Segment,
    ShownImage,
)
from sightline.runtime import jobs
from sightline.runtime.blobs import LocalBlobs
from sightline.runtime.db import metadata, open_database
from sightline.trust import access, audit
from tests.dciodvfy import errors_of

READER = access.Person("p1", "Dr Ada Adams", "adams", frozenset({"radiologist"}), "main")

BUNDLED = ["CT_small.dcm", "MR_small.dcm", "examples_ybr_color.dcm", "examples_palette.dcm", "JPEG2000.dcm"]
SHARED = {
    "computed tomography": "longitudinal/ct-pairs-ny-sbu",
    "mammography and ultrasound": "multiframe-us-xa-mg-wsi",
    "old ultrasound, nuclear medicine": "multiframe-us-nm-dcm4che",
    "enhanced MR": "mr/enhanced-multiframe",
    "segmentation and report of dcmqi": "sr-seg",
}
# What these files have from their makers and every object of their study repeats.
INHERITED = (
    "Illegal root for UID", "Leading zeroes in embedded", "StudyID", "Length invalid for this VR",
    "SliceThickness",
)  # fmt: skip


@pytest.fixture
def held(tmp_path):
    database = open_database(f"sqlite:///{tmp_path}/sightline.db")
    metadata.create_all(database.engine)
    jobs.open_queue(database)
    blobs = LocalBlobs(tmp_path / "blobs")
    audit.use(audit.ReadLog(database))
    yield archive.Store(database, blobs, archive.ArchiveSettings())
    audit.use(None)
    jobs.close_queues()
    blobs.close()
    database.dispose()


def take(held, *paths: Path) -> None:
    source = archive.Source("import", "test", access.operator("tester"))
    archive.take_in(held, [archive.Incoming(path.name, path) for path in paths], source)


def complaints(held, sop_uid: str, folder: Path) -> list[str]:
    with held.database.reading() as db:
        errors = errors_of(archive.instance_bytes(held, db, sop_uid), folder)
    return [error for error in errors if not any(known in error for known in INHERITED)]


def images_of(held):
    """The middle image of each series that holds any, with its study."""
    with held.database.reading() as db:
        for study in archive.find_studies(db, archive.StudyQuery(), limit=200):
            for series in archive.series_of_study(db, study.uid):
                if series.frame_count and series.modality not in {"SEG", "RTDOSE"}:
                    instances = archive.sorted_instances(db, series.uid)
                    image = instances[len(instances) // 2]
                    if image.rows and image.columns:
                        yield study.uid, image


def content_on(image: archive.Instance, number: int) -> Content:
    """One of each kind, a key image and a presentation, in the middle of an image."""
    c, r = float(image.columns), float(image.rows)
    frame = max(1, (image.frames or 1) // 2)
    drawn = {
        "length": [(0.3, 0.3), (0.5, 0.6)],
        "bidirectional": [(0.3, 0.5), (0.6, 0.5), (0.45, 0.48), (0.45, 0.52)],
        "angle": [(0.3, 0.3), (0.5, 0.6), (0.3, 0.6)],
        "ellipse": [(0.3, 0.5), (0.6, 0.5), (0.45, 0.4), (0.45, 0.6)],
        "freehand": [(0.3, 0.3), (0.6, 0.35), (0.5, 0.6), (0.35, 0.55)],
        "probe": [(0.5, 0.5)],
        "arrow": [(0.2, 0.2), (0.4, 0.4)],
    }
    measurements = [
        Measurement(
            f"2.25.{number}{n}", kind, image.series, image.sop_uid, frame, label="Größe",
            points_px=[(x * c, y * r) for x, y in points],
        )
        for n, (kind, points) in enumerate(drawn.items())
    ]  # fmt: skip
    shown = Presentation(
        f"2.25.{number}99",
        image.series,
        [ShownImage(image.sop_uid, [frame] if (image.frames or 1) > 1 else None)],
        "mine",
        rotation=90,
        area=Area((1.0, 1.0), (c - 1, r - 1)),
        graphics=[Graphic("text", [(c / 2, r / 2)], "hier")],
    )
    return Content(measurements, [KeyImage(image.sop_uid, image.series, frame)], [shown])


def segment(held, study: str, image: archive.Instance) -> annotations.Written:
    frames = image.frames or 1
    slices = [PaintedSlice(image.sop_uid, frame) for frame in range(1, frames + 1)]
    voxels = np.zeros((1, frames, image.rows, image.columns), np.uint8)
    voxels[0, 0, 4:12, 4:12] = 1
    head = json.dumps(
        asdict(Painted(image.series, slices, image.rows, image.columns, [Segment(1, "region")]))
    ).encode()
    body = len(head).to_bytes(4, "little") + head + voxels.tobytes()
    return annotations.save_segmentation(held, study, body, by=READER)


def require_whole(held, folder: Path, *, least: int) -> None:
    """Draw on every series, and have the objects judged and read back."""
    done = 0
    for number, (study, image) in enumerate(list(images_of(held)), start=1):
        try:
            saved, _ = reading.save_annotations(held, study, content_on(image, number), by=READER)
        except annotations.UnusableAnnotation as refused:
            assert "presentation state" in str(refused)
            continue
        written = list(saved.written)
        try:
            written.append(segment(held, study, image))
        except annotations.UnusableLabelmap as refused:
            assert "segment" in str(refused)
        found, _ = annotations.open_annotations(held, study, by=READER)
        back = {m.uid: m for m in found.measurements}
        for m in saved.measurements:
            assert back[m.uid].kind == m.kind
            assert np.allclose(back[m.uid].points_px, m.points_px, atol=1e-3)
            assert [v.unit for v in back[m.uid].values] == [v.unit for v in m.values]
            assert [v.value for v in back[m.uid].values] == pytest.approx(
                [v.value for v in m.values], rel=1e-5
            )
        for one in written:
            assert complaints(held, one.sop_uid, folder) == [], one.kind
        done += 1
    assert done >= least


def test_annotations_on_pydicoms_own_images_are_whole(held, tmp_path):
    take(held, *(Path(get_testdata_file(name, download=False)) for name in BUNDLED))

    require_whole(held, tmp_path, least=4)


@pytest.mark.slow
@pytest.mark.parametrize("folder", SHARED.values(), ids=SHARED.keys())
def test_annotations_on_real_images_are_whole(held, test_data, folder, tmp_path):
    take(held, *(path for path in sorted((test_data / folder).rglob("*")) if path.is_file()))

    require_whole(held, tmp_path, least=1)


def test_what_dcmqi_measured_on_its_segment_is_read(held, test_data):
    folder = test_data / "sr-seg" / "dcmqi" / "sr-example"
    take(held, *(path for path in sorted(folder.rglob("*")) if path.is_file()))
    report = pydicom.dcmread(folder / "sr.dcm")
    found, _ = annotations.open_annotations(held, str(report.StudyInstanceUID), by=READER)
    (measured,) = found.measurements
    (segmentation,) = found.segmentations

    assert measured.kind == "segment"
    assert measured.segment.segmentation_uid == segmentation.uid
    assert measured.value_of("volume").unit == "ml"
    assert measured.value_of("mean").value == pytest.approx(6.015, abs=1e-3)
    assert measured.value_of("mean").unit == "g/ml{SUVbw}"
    assert segmentation.segments[0].label == "Neoplasm, Primary"


def test_every_document_of_the_shared_data_is_read_or_told_with_a_reason(held, test_data):
    paths = [
        p for p in sorted(test_data.rglob("*")) if p.is_file() and _modality(p) in {"SR", "KO", "PR", "SEG"}
    ]
    take(held, *paths)
    read = told = 0
    with held.database.reading() as db:
        studies = [study.uid for study in archive.find_studies(db, archive.StudyQuery(), limit=500)]
    for study in studies:
        found, _ = annotations.open_annotations(held, study, by=READER)
        read += len(found.measurements) + len(found.segmentations)
        told += len(found.unread)
        assert all(entry.reason for entry in found.unread)

    assert len(paths) >= 30
    assert read >= 7
    assert told >= 4


def _modality(path: Path) -> str:
    try:
        return str(
            pydicom.dcmread(io.BytesIO(path.read_bytes()), specific_tags=["Modality"]).get("Modality", "")
        )
    except Exception:
        return ""
