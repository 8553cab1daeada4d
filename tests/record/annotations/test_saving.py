"""What a person drew becomes DICOM, and comes back as it was drawn."""

from dataclasses import replace

import pytest

from sightline.care import reading
from sightline.record import annotations, archive, findings
from sightline.record.annotations import Content, KeyImage, Measurement, Value
from tests.dciodvfy import errors_of

STUDY = "1.2.3"
SERIES = "1.2.3.1"
IMAGE = "1.2.3.1.2"

LENGTH = Measurement(
    uid="2.25.11", kind="length", series_uid=SERIES, sop_uid=IMAGE, label="left kidney",
    points_px=[(2.0, 3.0), (5.0, 7.0)], values=[Value("length", 10.0, "mm")],
)  # fmt: skip
BOTH_AXES = Measurement(
    uid="2.25.12", kind="bidirectional", series_uid=SERIES, sop_uid=IMAGE,
    points_px=[(2.0, 4.0), (10.0, 4.0), (6.0, 2.0), (6.0, 6.0)],
)  # fmt: skip
ELLIPSE = Measurement(
    uid="2.25.13", kind="ellipse", series_uid=SERIES, sop_uid=IMAGE,
    points_px=[(3.0, 8.0), (13.0, 8.0), (8.0, 4.0), (8.0, 12.0)],
)  # fmt: skip
EVERY_KIND = [
    LENGTH,
    BOTH_AXES,
    ELLIPSE,
    replace(LENGTH, uid="2.25.14", kind="angle", values=[], points_px=[(2.0, 2.0), (2.0, 8.0), (9.0, 8.0)]),
    replace(
        LENGTH, uid="2.25.15", kind="cobb", values=[],
        points_px=[(2.0, 2.0), (12.0, 2.0), (2.0, 10.0), (12.0, 12.0)],
    ),
    replace(
        LENGTH, uid="2.25.16", kind="rectangle", values=[],
        points_px=[(2.0, 2.0), (12.0, 2.0), (12.0, 10.0), (2.0, 10.0)],
    ),
    replace(
        LENGTH, uid="2.25.17", kind="freehand", values=[],
        points_px=[(2.0, 2.0), (12.0, 2.0), (14.0, 9.0), (5.0, 13.0), (1.0, 8.0)],
    ),
    replace(
        LENGTH, uid="2.25.18", kind="spline", values=[],
        points_px=[(2.0, 2.0), (12.0, 2.0), (14.0, 9.0), (5.0, 13.0)],
    ),
    replace(LENGTH, uid="2.25.19", kind="probe", values=[], points_px=[(4.5, 5.5)]),
    replace(LENGTH, uid="2.25.20", kind="arrow", values=[], points_px=[(4.0, 5.0), (9.0, 9.0)]),
    replace(LENGTH, uid="2.25.21", kind="text", values=[], label="look here", points_px=[(4.0, 5.0)]),
    Measurement(
        uid="2.25.22", kind="length", series_uid=SERIES, frame_of_reference_uid="1.2.3.9",
        points_lps_mm=[(1.0, 2.0, 3.0), (4.0, 6.0, 3.0)],
    ),
    Measurement(
        uid="2.25.23", kind="ellipse", series_uid=SERIES, frame_of_reference_uid="1.2.3.9",
        points_lps_mm=[(0.0, 5.0, 0.0), (0.0, 5.0, 20.0), (-3.0, 5.0, 10.0), (3.0, 5.0, 10.0)],
    ),
    Measurement(
        uid="2.25.24", kind="freehand", series_uid=SERIES, frame_of_reference_uid="1.2.3.9",
        points_lps_mm=[(0.0, 5.0, 0.0), (0.0, 5.0, 20.0), (7.0, 5.0, 20.0)],
    ),
]  # fmt: skip


def values_of(m: Measurement) -> dict[str, float]:
    return {f"{v.name} {v.unit}": v.value for v in m.values}


def complaints(held: archive.Store, sop_uid: str, folder) -> list[str]:
    with held.database.reading() as db:
        return errors_of(archive.instance_bytes(held, db, sop_uid), folder)


@pytest.fixture
def database(sqlite):
    """The saving does not depend on the kind of database; the working copies are tested on both."""
    return sqlite


@pytest.fixture
def study(receive, reads):
    return receive(STUDY)


def save(store, person, content, **options):
    return reading.save_annotations(store, STUDY, content, by=person, **options)


def test_every_kind_comes_back_as_it_was_drawn(store, study, radiologist, tmp_path):
    saved, _ = save(store, radiologist, Content(EVERY_KIND))
    found, _ = annotations.open_annotations(store, STUDY, by=radiologist)
    back = {m.uid: m for m in found.measurements}

    assert found.unread == []
    assert back.keys() == {m.uid for m in EVERY_KIND}
    for m in saved.measurements:
        read = back[m.uid]
        assert (read.kind, read.label, read.series_uid, read.sop_uid) == (
            m.kind,
            m.label,
            m.series_uid,
            m.sop_uid,
        )
        assert read.points_px == m.points_px
        assert values_of(read) == pytest.approx(values_of(m))
        assert [v.method for v in read.values] == [v.method for v in m.values]
        assert read.frame_of_reference_uid == "1.2.3.9"
    assert complaints(store, saved.written[0].sop_uid, tmp_path) == []


def test_the_numbers_are_those_of_geometry_and_pixels(store, study, radiologist):
    saved, _ = save(store, radiologist, Content(EVERY_KIND))
    by_uid = {m.uid: values_of(m) for m in saved.measurements}

    # Pixels are 2 mm wide; the value of a pixel is its place, row by row, from -1000 + the slice's number.
    assert by_uid["2.25.11"] == {"length mm": 10.0}
    assert by_uid["2.25.12"] == {"long_axis mm": 16.0, "short_axis mm": 8.0}
    assert by_uid["2.25.13"]["area mm2"] == pytest.approx(3.14159265 * 10 * 8)
    assert by_uid["2.25.13"]["mean [hnsf'U]"] == pytest.approx(-998 + 7.5 * 16 + 7.5)
    assert by_uid["2.25.14"] == {"angle deg": pytest.approx(90)}
    assert by_uid["2.25.15"] == {"angle deg": pytest.approx(11.30993)}
    assert by_uid["2.25.16"]["area mm2"] == pytest.approx(320)
    assert by_uid["2.25.16"]["perimeter mm"] == pytest.approx(72)
    assert by_uid["2.25.16"]["min [hnsf'U]"] == -998 + 2 * 16 + 2
    assert by_uid["2.25.19"] == {"value [hnsf'U]": -998 + 5 * 16 + 4}
    assert by_uid["2.25.22"] == {"length mm": 5.0}
    assert by_uid["2.25.23"]["area mm2"] == pytest.approx(3.14159265 * 10 * 3)
    assert by_uid["2.25.24"]["area mm2"] == pytest.approx(70)


@pytest.mark.parametrize(
    "claim",
    [Value("length", 10.2, "mm"), Value("length", 5.0, "px"), Value("length", 9.8, "mm")],
    ids=["too long", "another unit", "too short"],
)
def test_a_claim_that_the_image_contradicts_is_refused_and_nothing_is_written(
    store, study, radiologist, claim
):
    with pytest.raises(annotations.MeasuredOtherwise, match="measure it again"):
        save(store, radiologist, Content([BOTH_AXES, replace(LENGTH, values=[claim])]))

    found, _ = annotations.open_annotations(store, STUDY, by=radiologist)
    assert found.measurements == []


def test_points_in_image_and_patient_that_differ_are_refused(store, study, radiologist):
    elsewhere = replace(LENGTH, points_lps_mm=[(3.0, 5.0, 10.0), (9.0, 13.0, 30.0)])

    with pytest.raises(annotations.MeasuredOtherwise, match="not the same"):
        save(store, radiologist, Content([elsewhere]))


def test_an_image_of_another_study_is_refused(store, study, receive, radiologist):
    receive("1.2.4")

    with pytest.raises(annotations.ImageNotInStudy):
        save(store, radiologist, Content([replace(LENGTH, sop_uid="1.2.4.1.1", series_uid="1.2.4.1")]))


def test_saving_the_same_again_writes_nothing(store, study, radiologist):
    content = Content(EVERY_KIND, [KeyImage(IMAGE, SERIES)])
    first, marked = save(store, radiologist, content)
    found, _ = annotations.open_annotations(store, STUDY, by=radiologist)
    again, changed = save(store, radiologist, content)
    loaded, changed_by_loaded = save(store, radiologist, Content(found.measurements, found.key_images))

    assert [w.kind for w in first.written] == ["SR", "KO"]
    assert len(marked) == 9
    assert (again.written, again.withdrawn, changed) == ([], [], [])
    assert (loaded.written, loaded.withdrawn, changed_by_loaded) == ([], [], [])


def test_a_newer_report_names_its_predecessor_and_takes_its_place(store, study, radiologist):
    first, _ = save(store, radiologist, Content([LENGTH, BOTH_AXES]))
    second, _ = save(
        store, radiologist, Content([replace(LENGTH, points_px=[(2.0, 3.0), (8.0, 11.0)], values=[])])
    )
    found, _ = annotations.open_annotations(store, STUDY, by=radiologist)
    with store.database.reading() as db:
        ds = archive.read_dataset(store, db, second.written[0].sop_uid)

    assert [values_of(m) for m in found.measurements] == [{"length mm": 20.0}]
    named = ds.PredecessorDocumentsSequence[0].ReferencedSeriesSequence[0].ReferencedSOPSequence[0]
    assert named.ReferencedSOPInstanceUID == first.written[0].sop_uid
    assert (ds.SeriesInstanceUID, ds.InstanceNumber) == (first.written[0].series_uid, 2)


def test_taking_everything_back_leaves_a_report_that_says_so(store, study, radiologist, tmp_path):
    save(store, radiologist, Content([LENGTH], [KeyImage(IMAGE, SERIES, note="good")]))
    saved, _ = save(store, radiologist, Content())
    found, _ = annotations.open_annotations(store, STUDY, by=radiologist)

    assert (found.measurements, found.key_images, found.unread) == ([], [], [])
    assert [w.kind for w in saved.written] == ["SR"]
    assert len(saved.withdrawn) == 1
    assert complaints(store, saved.written[0].sop_uid, tmp_path) == []


def test_what_a_colleague_drew_stays_theirs_until_it_is_changed(store, study, radiologist, colleague):
    save(store, radiologist, Content([LENGTH, BOTH_AXES]))
    found, _ = annotations.open_annotations(store, STUDY, by=colleague)
    longer = replace(
        found.measurements[0], points_px=[(2.0, 3.0), (8.0, 11.0)], points_lps_mm=None, values=[]
    )
    saved, _ = save(store, colleague, Content([longer, found.measurements[1], ELLIPSE]))
    after, _ = annotations.open_annotations(store, STUDY, by=radiologist)
    makers = {m.uid: (m.source.by, m.source.own) for m in after.measurements}
    kept, _ = save(store, radiologist, Content(after.measurements))

    assert len(saved.written) == 1
    assert makers == {
        LENGTH.uid: ("Dr Bo Brandt", False),
        BOTH_AXES.uid: ("Dr Ada Adams", True),
        ELLIPSE.uid: ("Dr Bo Brandt", False),
    }
    assert {m.uid: values_of(m) for m in after.measurements}[LENGTH.uid] == {"length mm": 20.0}
    assert [w.kind for w in kept.written] == ["SR"], (
        "the older version of what a colleague changed is dropped"
    )


def test_saving_over_what_somebody_saved_meanwhile_is_refused(store, study, radiologist, colleague):
    loaded, _ = annotations.open_annotations(store, STUDY, by=radiologist)
    save(store, colleague, Content([LENGTH]), version=loaded.version)

    with pytest.raises(annotations.AnnotationsChangedMeanwhile, match="load them again"):
        save(store, radiologist, Content([BOTH_AXES]), version=loaded.version)


# --- Findings ---------------------------------------------------------------------------------------------


def standing(store) -> dict[str, findings.Finding]:
    with store.database.reading() as db:
        return {f.label: f for f in findings.of_studies(db, STUDY)}


def test_a_measurement_is_a_finding_that_follows_it(store, study, radiologist):
    save(store, radiologist, Content([LENGTH, ELLIPSE]))
    first = standing(store)
    save(store, radiologist, Content([replace(LENGTH, points_px=[(2.0, 3.0), (8.0, 11.0)], values=[])]))
    second = standing(store)
    save(
        store,
        radiologist,
        Content([replace(LENGTH, points_px=[(2.0, 3.0), (8.0, 11.0)], values=[]), ELLIPSE]),
    )
    third = standing(store)

    assert first.keys() == {"left kidney", "region"}
    assert first["left kidney"].state == "accepted"
    assert first["left kidney"].source.kind == "person"
    assert first["left kidney"].values["long_axis"].value == pytest.approx(10)
    assert first["left kidney"].centre_lps_mm == pytest.approx((6, 9, 10))
    assert first["region"].values["area"].unit == "mm2"
    assert first["region"].values["mean_hu"].unit == "[hnsf'U]"
    assert second["left kidney"].values["long_axis"].value == pytest.approx(20)
    assert second["region"].state == "rejected"
    assert third["region"].counts
    assert [f["left kidney"].id for f in (first, second, third)] == [first["left kidney"].id] * 3


def test_a_technologist_measures_without_making_findings(store, study, technologist):
    saved, changed = save(store, technologist, Content([LENGTH]))

    assert [w.kind for w in saved.written] == ["SR"]
    assert changed == []
    assert standing(store) == {}


# --- Key images -------------------------------------------------------------------------------------------


def test_key_images_are_selections_with_a_title_one_for_each_note(store, study, radiologist, tmp_path):
    keys = [
        KeyImage(IMAGE, SERIES),
        KeyImage("1.2.3.1.3", SERIES),
        KeyImage("1.2.3.1.1", SERIES, note="see here"),
    ]
    saved, _ = save(store, radiologist, Content([], keys))
    found, _ = annotations.open_annotations(store, STUDY, by=radiologist)

    assert [w.kind for w in saved.written] == ["KO", "KO"]
    assert {(k.sop_uid, k.note, k.source.title) for k in found.key_images} == {
        (IMAGE, "", "Of Interest"),
        ("1.2.3.1.3", "", "Of Interest"),
        ("1.2.3.1.1", "see here", "Of Interest"),
    }
    for written in saved.written:
        assert complaints(store, written.sop_uid, tmp_path) == []


def test_a_key_image_can_be_taken_back_and_marked_again(store, study, radiologist):
    key = KeyImage(IMAGE, SERIES, note="x")
    save(store, radiologist, Content([], [key]))
    save(store, radiologist, Content())
    gone, _ = annotations.open_annotations(store, STUDY, by=radiologist)
    save(store, radiologist, Content([], [key]))
    back, _ = annotations.open_annotations(store, STUDY, by=radiologist)

    assert gone.key_images == []
    assert [k.note for k in back.key_images] == ["x"]


# --- Presentations ----------------------------------------------------------------------------------------

SHOWN = annotations.Presentation(
    uid="2.25.77", series_uid=SERIES,
    images=[annotations.ShownImage(IMAGE), annotations.ShownImage("1.2.3.1.3")],
    label="bone", window=annotations.Window(300, 1500), invert=True, rotation=90, flip_horizontal=True,
    area=annotations.Area((2.0, 3.0), (12.0, 9.0)), layer="MINE",
    graphics=[
        annotations.Graphic("polyline", [(2.0, 2.0), (5.0, 7.5), (9.0, 2.0)], closed=True),
        annotations.Graphic("circle", [(8.0, 8.0), (8.0, 11.0)]),
        annotations.Graphic("ellipse", [(2.0, 8.0), (12.0, 8.0), (7.0, 6.0), (7.0, 10.0)]),
        annotations.Graphic("point", [(3.0, 3.0)]),
        annotations.Graphic("text", [(4.0, 4.0)], "fracture"),
    ],
)  # fmt: skip


def test_a_presentation_comes_back_as_it_was_set(store, study, radiologist, tmp_path):
    saved, _ = save(store, radiologist, Content([], [], [SHOWN]))
    found, _ = annotations.open_annotations(store, STUDY, by=radiologist)
    again, _ = save(store, radiologist, Content([], [], found.presentations))
    (read,) = found.presentations

    assert (read.uid, read.label, read.window, read.invert) == ("2.25.77", "bone", SHOWN.window, True)
    assert (read.rotation, read.flip_horizontal, read.area, read.layer) == (90, True, SHOWN.area, "MINE")
    assert [(g.kind, g.text) for g in read.graphics] == [(g.kind, g.text) for g in SHOWN.graphics]
    assert read.graphics[0].points[:3] == SHOWN.graphics[0].points
    assert read.graphics[0].closed
    assert (read.source.own, read.editable) == (True, True)
    assert [image.sop_uid for image in read.images] == [IMAGE, "1.2.3.1.3"]
    assert again.written == []
    assert complaints(store, saved.written[0].sop_uid, tmp_path) == []


def test_a_changed_presentation_is_a_new_version_and_one_left_out_is_gone(store, study, radiologist):
    save(store, radiologist, Content([], [], [SHOWN]))
    changed, _ = save(store, radiologist, Content([], [], [replace(SHOWN, rotation=180)]))
    found, _ = annotations.open_annotations(store, STUDY, by=radiologist)
    gone, _ = save(store, radiologist, Content())
    after, _ = annotations.open_annotations(store, STUDY, by=radiologist)

    assert [(p.uid, p.rotation) for p in found.presentations] == [("2.25.77", 180)]
    assert (changed.written[0].series_uid, gone.withdrawn) == ("2.25.77", ["2.25.77"])
    assert after.presentations == []


def test_a_presentation_without_a_window_is_not_written_anew_each_time(store, study, radiologist):
    plain = annotations.Presentation("2.25.78", SERIES, [annotations.ShownImage(IMAGE)])
    first, _ = save(store, radiologist, Content([], [], [plain]))
    second, _ = save(store, radiologist, Content([], [], [plain]))

    assert (len(first.written), second.written) == (1, [])


def test_the_uid_of_a_series_of_images_is_refused_for_a_presentation(store, study, radiologist):
    with pytest.raises(annotations.UnusableAnnotation, match="something else"):
        save(store, radiologist, Content([], [], [replace(SHOWN, uid=SERIES)]))


def test_simulated_data_stay_labelled(store, receive, radiologist):
    receive(STUDY, ImageType=["DERIVED", "PRIMARY", "AXIAL", "SIMULATED"], PatientName="SIMULATED^One")
    saved, _ = save(store, radiologist, Content([LENGTH], [KeyImage(IMAGE, SERIES)], [SHOWN]))

    with store.database.reading() as db:
        for written in saved.written:
            ds = archive.read_dataset(store, db, written.sop_uid)
            assert ds.SeriesDescription.startswith("SIMULATED ")
            assert (str(ds.PatientName), ds.PatientID) == ("SIMULATED^One", "4711")


# --- Images without a place in the patient ----------------------------------------------------------------


def test_millimetres_by_the_reader_rest_on_a_line_of_known_length(store, receive, radiologist, reads):
    receive(STUDY, Modality="XA", FrameOfReferenceUID="", PixelSpacing=None)
    known = replace(
        LENGTH, uid="2.25.61", kind="calibrated-length", points_px=[(2.0, 2.0), (12.0, 2.0)],
        values=[Value("length", 50.0, "mm")], calibration="calibrated by the reader: 50 mm",
    )  # fmt: skip
    by_it = replace(LENGTH, uid="2.25.62", values=[], calibration="calibrated by the reader: 50 mm")
    plain = replace(LENGTH, uid="2.25.63", values=[])
    _, changed = save(store, radiologist, Content([by_it, known, plain]))
    found, _ = annotations.open_annotations(store, STUDY, by=radiologist)
    back = {m.uid: (values_of(m), m.calibration) for m in found.measurements}

    assert back["2.25.61"] == ({"length mm": 50.0}, "calibrated by the reader: 50 mm")
    assert back["2.25.62"] == ({"length mm": pytest.approx(25.0)}, "calibrated by the reader: 50 mm")
    assert back["2.25.63"] == ({"length px": pytest.approx(5.0)}, "none")
    assert changed == [], "what has no place in the patient is no finding"
    with pytest.raises(annotations.UnusableAnnotation, match="no line of known length"):
        save(store, radiologist, Content([by_it]))
