"""Maps of change as DICOM objects, judged by dciodvfy and read back."""

import io
from dataclasses import replace
from datetime import UTC, datetime

import highdicom as hd
import numpy as np
import pytest
from pydicom import dcmread

from sightline.kernel.quantities import Quantity
from sightline.record import derived
from sightline.science import change
from sightline.science.geometry import Grid
from tests.care.clinic import make_slice
from tests.dciodvfy import errors_of

GRID = Grid((4, 16, 16), (2.0, 2.0, 5.0), (0.0, 0.0, 5.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
MAKING = derived.Making("pair", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), simulated=True)


def headers(study):
    return [dcmread(io.BytesIO(make_slice(n, study, f"{study}.1"))) for n in range(1, 5)]


@pytest.fixture
def found():
    z = np.arange(1024, dtype=np.float32).reshape(4, 16, 16) / 100 - 3
    z[0, 0, 0] = np.nan
    labels = np.zeros(z.shape, np.int32)
    labels[1, 2:5, 2:5], labels[2, 8:10, 8:10] = 1, 2
    one = change.Cluster(
        1, "increase", (6.0, 6.0, 10.0), Quantity(180, "mm3", "made up"),
        Quantity(30, "[hnsf'U]", "made up"), 6.0, 1e-4, 1e-3,
    )  # fmt: skip
    return change.ChangeMap(
        GRID, z, z, None, z / 10, labels, (one, replace(one, label=2, sign="decrease")),
        "[hnsf'U]", 3.0, "made up", "made up", (),
    )  # fmt: skip


@pytest.fixture
def objects(found):
    return derived.build_change_objects(found, headers("1.2"), headers("1.1"), MAKING)


def test_the_judge_has_no_complaint(objects, tmp_path):
    assert [errors_of(derived.encode(ds), tmp_path) for ds in objects] == [[], [], []]


def upwards(stack):
    """Return the planes in the order of their place; the library gives them downwards."""
    return stack.array if stack.affine[2, 0] > 0 else stack.array[::-1]


def test_values_come_back_with_unit_and_quantity(objects, found):
    read = hd.pm.ParametricMap.from_dataset(dcmread(io.BytesIO(derived.encode(objects[0]))))
    [mapping] = read.SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence

    assert np.array_equal(upwards(read.get_volume()), found.z, equal_nan=True)
    assert mapping.MeasurementUnitsCodeSequence[0].CodeValue == "1"
    assert mapping.QuantityDefinitionSequence[0].ConceptCodeSequence[0].CodeMeaning == "Z-score"


def test_segments_come_back_voxel_for_voxel(objects, found):
    read = hd.seg.segread(io.BytesIO(derived.encode(objects[-1])))
    volume = upwards(read.get_volume())

    assert [s.SegmentLabel for s in read.SegmentSequence] == ["Increase", "Decrease"]
    first = np.flatnonzero(found.labels.any(axis=(1, 2)))[0]  # empty planes are left out
    for number, sign in enumerate(("increase", "decrease")):
        mask = found.mask_of(sign)[first : first + len(volume)]
        assert np.array_equal(volume[..., number] > 0, mask)


def test_what_is_simulated_says_so(objects):
    assert all(ds.SeriesDescription.startswith("SIMULATED Change") for ds in (objects[0], objects[-1]))


def test_a_ratio_is_written_where_there_is_one(found):
    kept = derived.build_change_objects(
        replace(found, ratio=np.ones_like(found.z)), headers("1.2"), headers("1.1"), MAKING
    )

    assert [ds.ContentLabel for ds in kept] == ["CHANGE_Z", "CHANGE_RATIO", "GROWTH_LOGJAC", "CHANGE"]


def test_the_same_map_gives_the_same_objects(found, objects):
    again = derived.build_change_objects(found, headers("1.2"), headers("1.1"), MAKING)

    assert [ds.SOPInstanceUID for ds in again] == [ds.SOPInstanceUID for ds in objects]
    assert [ds.SeriesInstanceUID for ds in again] == [ds.SeriesInstanceUID for ds in objects]


def test_without_a_frame_of_reference_nothing_is_written(found):
    source = headers("1.2")
    for ds in source:
        del ds.FrameOfReferenceUID

    with pytest.raises(derived.IncompleteSource, match="FrameOfReferenceUID"):
        derived.build_change_objects(found, source, headers("1.1"), MAKING)
