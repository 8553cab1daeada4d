"""Every object a signed report becomes, read back by pydicom, highdicom, dciodvfy and pdftotext."""

import io
import shutil
import subprocess
from dataclasses import replace

import highdicom as hd
import numpy as np
import pydicom
import pytest
from pydicom.sr.codedict import codes
from pydicom.uid import generate_uid

from sightline.care.reporting import _documents as documents
from tests.dciodvfy import errors_of


def read_back(ds: pydicom.Dataset) -> pydicom.Dataset:
    return pydicom.dcmread(io.BytesIO(documents.encode(ds)))


def complaints(ds: pydicom.Dataset, folder) -> list[str]:
    """What dciodvfy calls an error."""
    return errors_of(documents.encode(ds), folder)


def make_pdf(report, lesions, slices) -> bytes:
    page = documents.render_report_html(report, lesions, study=documents.read_study(slices[0]))
    return documents.render_report_pdf(page)


# --- Segmentation -----------------------------------------------------------------------------------------


@pytest.fixture
def segmentation(slices, lesions, report) -> hd.seg.Segmentation:
    written = documents.encode(documents.build_segmentation(slices, lesions, report))
    return hd.seg.segread(io.BytesIO(written))


def test_masks_come_back_voxel_for_voxel(segmentation, slices, lesions):
    grown, edited, _ = lesions
    uids = [ds.SOPInstanceUID for ds in slices]
    stored = segmentation.get_pixels_by_source_instance(
        source_sop_instance_uids=uids, ignore_spatial_locations=False, assert_missing_frames_are_empty=True
    )
    box = np.zeros((10, 128, 128), bool)
    box[5:8, 80:91, 80:91] = edited.mask

    assert np.array_equal(stored[..., 0], grown.mask)
    assert np.array_equal(stored[..., 1], box)
    assert stored.shape[-1] == 2, "the lesion without a mask has no segment"


def test_masks_stand_where_they_were_drawn_in_space(segmentation, lesions):
    volume = segmentation.get_volume(segment_numbers=[1])
    indices = np.argwhere(volume.array[..., 0])
    points = volume.map_indices_to_reference(indices)
    z, y, x = np.nonzero(lesions[0].mask)
    spacing = 0.661468

    assert np.allclose(np.unique(points[:, 2]), np.unique(-95.0 + 5 * z))
    assert np.isclose(points[:, 0].mean(), -40 + x.mean() * spacing)
    assert np.isclose(points[:, 1].mean(), -40 + y.mean() * spacing)


def test_each_segment_has_a_colour_of_its_own(segmentation):
    colours = [tuple(s.RecommendedDisplayCIELabValue) for s in segmentation.SegmentSequence]

    assert len(set(colours)) == len(colours) == 2


def test_each_segment_says_what_it_is_and_who_made_it(segmentation):
    first, second = segmentation.get_segment_description(1), segmentation.get_segment_description(2)

    assert first.tracking_uid == "2.25.101"
    assert first.tracking_id == "1 right lung, upper third, nodule"
    assert first.segmented_property_type.value == "427359005"
    assert first.anatomic_regions[0].value == "3341006"
    assert first.AnatomicRegionSequence[0].AnatomicRegionModifierSequence[0].CodeMeaning == "Right"
    assert first.algorithm_type.value == "AUTOMATIC"
    assert first.algorithm_identification.name == "chest-ct-nodules"
    assert first.algorithm_identification.version == "1.0.0"
    assert second.algorithm_type.value == "SEMIAUTOMATIC"


def test_a_lesion_drawn_by_a_person_is_a_manual_segment(slices, grown, report):
    by_hand = replace(grown, algorithm=None)
    segmentation = documents.build_segmentation(slices, [by_hand], report)

    assert segmentation.get_segment_description(1).algorithm_type.value == "MANUAL"


def test_overlapping_lesions_keep_all_their_voxels(slices, grown, report):
    other = replace(grown, number=2, tracking_uid="2.25.9", mask=np.roll(grown.mask, 3, axis=2))
    segmentation = documents.build_segmentation(slices, [grown, other], report)
    volume = segmentation.get_volume(combine_segments=False).array

    assert volume[..., 0].sum() == grown.mask.sum()
    assert volume[..., 1].sum() == other.mask.sum()


# --- Measurement report -----------------------------------------------------------------------------------


@pytest.fixture
def document(slices, lesions, report) -> hd.sr.Comprehensive3DSR:
    segmentation = documents.build_segmentation(slices, lesions, report)
    written = documents.encode(documents.build_measurement_report(slices, lesions, segmentation, report))
    return hd.sr.srread(io.BytesIO(written))


def test_a_volumetric_group_gives_value_unit_and_uncertainty(document):
    (group,) = document.content.get_volumetric_roi_measurement_groups(tracking_uid="2.25.101")
    volume, long_axis, short_axis = group.get_measurements()

    assert (volume.name, volume.value, volume.unit.value) == (codes.SCT.Volume, 416.2, "mm3")
    assert (long_axis.name, long_axis.value, long_axis.unit.value) == (codes.SCT.LongAxis, 10.1, "mm")
    assert (short_axis.name, short_axis.value, short_axis.unit.value) == (codes.SCT.ShortAxis, 8.2, "mm")
    ranges = {item.name.value: item for item in volume[0].ContentSequence}
    assert ranges["371886008"].value == pytest.approx(64.1)
    assert ranges["371885007"].value == pytest.approx(52.1)
    assert {item.unit.value for item in ranges.values()} == {"mm3"}


def test_a_group_points_at_its_segment_site_and_algorithm(document, segmentation):
    (group,) = document.content.get_volumetric_roi_measurement_groups(tracking_uid="2.25.102")
    reference = group.referenced_segment

    assert reference.referenced_sop_instance_uid == segmentation.SOPInstanceUID
    assert reference[0].ReferencedSOPSequence[0].ReferencedSegmentNumber == 2
    assert reference.source_images_for_segmentation == []
    assert reference.source_series_for_segmentation.value == "1.2.826.1.1"
    assert group.finding_sites[0].value.value == "44029006"
    assert group.tracking_identifier == "2 left lung, lower third, nodule"


def test_change_since_the_prior_is_coded_and_told(document):
    (group,) = document.content.get_volumetric_roi_measurement_groups(tracking_uid="2.25.101")
    (evaluation,) = group.get_qualitative_evaluations(name=codes.DCM.QualitativeDifference)
    comment = group[0].ContentSequence[-1]

    assert evaluation.value.value == "35105006"
    assert comment.name == codes.DCM.Comment
    assert "Change: grown 74 % (43 to 105 %) since 3 May 2026." in comment.value
    assert "Volume: partial volume over a dilated mask; 95 % interval 364.1 to 480.3 mm3." in comment.value


def test_an_algorithm_is_named_only_for_its_own_numbers(document):
    def names(tracking_uid: str) -> list[str]:
        (group,) = document.content.get_volumetric_roi_measurement_groups(tracking_uid=tracking_uid)
        items = group[0].ContentSequence
        return [item.value for item in items if item.name == codes.DCM.AlgorithmName]

    assert names("2.25.101") == ["chest-ct-nodules"]
    assert names("2.25.102") == []


def test_the_long_axis_is_drawn_in_space(document):
    (line,) = document.content.get_image_measurement_groups(tracking_uid="2.25.101")
    (measurement,) = line.get_measurements(name=codes.SCT.LongAxis)
    (coordinates,) = measurement.referenced_coordinates

    assert measurement.value == 10.1
    assert coordinates.graphic_type == hd.sr.GraphicTypeValues3D.POLYLINE
    assert coordinates.value.tolist() == [[-20, -10, -80], [-12, -4, -80]]


def test_a_lesion_without_a_mask_is_measured_all_the_same(document):
    (group,) = document.content.get_image_measurement_groups(tracking_uid="2.25.103")
    (measurement,) = group.get_measurements()

    assert (measurement.value, measurement.unit.value) == (4.5, "mm")
    assert measurement.referenced_coordinates[0].value.tolist() == [[1, 2, -80], [5, 4, -80]]


def test_the_report_is_verified_by_the_person_who_signed(document):
    (observer,) = document.VerifyingObserverSequence
    person, device = document.content.get_observer_contexts()

    assert (document.CompletionFlag, document.VerificationFlag, document.PreliminaryFlag) == (
        "COMPLETE",
        "VERIFIED",
        "FINAL",
    )
    assert str(observer.VerifyingObserverName) == "Dr Ada Adams^"
    assert str(observer.VerificationDateTime) == "20261124103000+0000"
    assert person.observer_identifying_attributes.name == "Dr Ada Adams^"
    assert device.observer_identifying_attributes.name == "Sightline"


def test_all_images_and_the_segmentation_are_evidence(document, slices, segmentation):
    evidence = {uid for _, _, uid, _ in document.get_evidence(current_procedure_only=True)}

    assert evidence == {ds.SOPInstanceUID for ds in slices} | {segmentation.SOPInstanceUID}


def test_the_compared_study_is_named(document):
    (prior,) = [item for item in document.content[0].ContentSequence if item.name.value == "55114-3"]
    study, day = prior.ContentSequence

    assert study.value == "1.2.826.0"
    assert day.value.isoformat() == "2026-05-03"


def test_a_report_without_lesions_says_that_nothing_was_measured(slices, report, tmp_path):
    document = documents.build_measurement_report(slices, [], None, report)
    root = hd.sr.srread(io.BytesIO(documents.encode(document))).content[0]
    (evaluations,) = [item for item in root.ContentSequence if item.name.value == "C0034375"]

    assert evaluations.ContentSequence[0].value == "No lesion was measured."
    assert root.ContentTemplateSequence[0].TemplateIdentifier == "1500"
    assert complaints(document, tmp_path) == []


# --- Encapsulated PDF -------------------------------------------------------------------------------------


def test_the_pdf_comes_back_byte_for_byte(slices, lesions, report):
    pdf = make_pdf(report, lesions, slices)
    ds = read_back(documents.build_encapsulated_pdf(slices, pdf, report))

    assert ds.EncapsulatedDocument[: ds.EncapsulatedDocumentLength] == pdf
    assert len(ds.EncapsulatedDocument) % 2 == 0
    assert pdf.startswith(b"%PDF-1.7")
    assert ds.DocumentTitle == "CT chest report"
    assert ds.ConceptNameCodeSequence[0].CodeValue == "18748-4"
    assert [item.ReferencedSOPInstanceUID for item in ds.SourceInstanceSequence] == [
        source.SOPInstanceUID for source in slices
    ]


def test_the_pdf_holds_the_report_as_text(slices, lesions, report, tmp_path):
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed: apt-get install poppler-utils")
    path = tmp_path / "report.pdf"
    path.write_bytes(make_pdf(report, lesions, slices))
    text = subprocess.run(
        ["pdftotext", "-layout", path, "-"], capture_output=True, text=True, timeout=60, check=True
    ).stdout

    assert "Growing nodule in the right lung." in text
    assert "10.1 ± 0.8 mm" in text
    assert "416 mm³" in text
    assert "(364 to 480)" in text
    assert "Dr Ada Adams" in text
    assert text.count("not a medical device") == 1


def test_the_pdf_is_tagged_and_says_that_it_is(slices, lesions, report, tmp_path):
    if shutil.which("pdfinfo") is None:
        pytest.skip("pdfinfo is not installed: apt-get install poppler-utils")
    path = tmp_path / "report.pdf"
    path.write_bytes(make_pdf(report, lesions, slices))
    told = subprocess.run(["pdfinfo", path], capture_output=True, text=True, timeout=60, check=True).stdout
    facts = {line.partition(":")[0]: line.partition(":")[2].strip() for line in told.splitlines()}

    assert facts["Title"] == "CT chest report"
    assert facts["Tagged"] == "yes"
    assert facts["JavaScript"] == "no"
    assert facts["Page size"].endswith("(A4)")


# --- All of them ------------------------------------------------------------------------------------------


def build_all(slices, lesions, report) -> dict[str, pydicom.Dataset]:
    segmentation = documents.build_segmentation(slices, lesions, report)
    pdf = make_pdf(report, lesions, slices)
    return {
        "SEG": segmentation,
        "SR": documents.build_measurement_report(slices, lesions, segmentation, report),
        "PDF": documents.build_encapsulated_pdf(slices, pdf, report),
    }


def test_dciodvfy_finds_no_error(slices, lesions, report, tmp_path):
    for kind, ds in build_all(slices, lesions, report).items():
        assert complaints(ds, tmp_path) == [], kind


def test_a_second_run_gives_the_same_bytes(slices, lesions, report):
    first, second = build_all(slices, lesions, report), build_all(slices, lesions, report)

    for kind, ds in first.items():
        assert documents.encode(ds) == documents.encode(second[kind]), kind


def test_another_version_gives_other_instances_of_the_same_series(slices, lesions, report):
    first = build_all(slices, lesions, report)
    later = build_all(slices, lesions, replace(report, version=4))

    for kind, ds in first.items():
        assert ds.SOPInstanceUID != later[kind].SOPInstanceUID
        assert ds.SeriesInstanceUID == later[kind].SeriesInstanceUID
        assert ds.InstanceNumber == 3


def test_all_belong_to_the_patient_and_study_of_the_images(slices, lesions, report):
    kept = (
        "PatientID",
        "PatientName",
        "PatientBirthDate",
        "PatientSex",
        "StudyInstanceUID",
        "StudyDate",
        "StudyTime",
        "AccessionNumber",
        "StudyID",
        "StudyDescription",
    )
    for kind, ds in build_all(slices, lesions, report).items():
        stored = read_back(ds)
        for keyword in kept:
            assert str(stored[keyword].value or "") == str(slices[0][keyword].value or ""), (kind, keyword)


def test_simulated_data_say_so_in_every_object(slices, lesions, report):
    simulated = build_all(slices, lesions, replace(report, simulated=True))

    for ds in simulated.values():
        assert ds.SeriesDescription.startswith("SIMULATED ")
    assert simulated["PDF"].DocumentTitle.startswith("SIMULATED ")
    assert simulated["SEG"].ContentDescription.startswith("SIMULATED ")
    assert simulated["SR"].content[0].ContentSequence[-1].value.startswith("SIMULATED ")
    for ds in build_all(slices, lesions, report).values():
        assert b"SIMULATED" not in documents.encode(ds)


@pytest.mark.parametrize(
    ("charset", "name"),
    [
        ("ISO_IR 192", "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        ("ISO_IR 127", "قباني^لنزار"),
        ("ISO_IR 144", "Люкceмбypг"),
        ("GB18030", "Wang^XiaoDong=王^小东"),
    ],
)
def test_names_survive_from_every_character_set(slices, lesions, report, charset, name, tmp_path):
    source = []
    for ds in slices:
        ds.SpecificCharacterSet, ds.PatientName, ds.ReferringPhysicianName = charset, name, name
        ds.save_as(tmp_path / "source.dcm")
        source.append(pydicom.dcmread(tmp_path / "source.dcm"))

    for kind, ds in build_all(source, lesions, report).items():
        stored = read_back(ds)
        assert stored.SpecificCharacterSet == "ISO_IR 192"
        assert str(stored.PatientName) == name, kind
        assert str(stored.ReferringPhysicianName) == name, kind
        assert name.encode() in documents.encode(ds)


def test_a_signature_is_told_on_the_clock_of_the_study(slices, lesions, report):
    for ds in slices:
        ds.TimezoneOffsetFromUTC = "+0900"

    for ds in build_all(slices, lesions, report).values():
        assert (str(ds.ContentDate), str(ds.ContentTime)[:6]) == ("20261124", "193000")
        assert ds.TimezoneOffsetFromUTC == "+0900"


def test_hostile_words_stay_one_value_each(slices, grown, report, tmp_path):
    words = "North\\South\r\nHospital\x00\x1b$B " + "x" * 80
    hostile = replace(report, title=words, organisation=words, signed_by=words, sections=((words, (words,)),))
    lesion = replace(grown, label=words, change=words, algorithm=(words, words))

    for kind, ds in build_all(slices, [lesion], hostile).items():
        stored = read_back(ds)
        assert stored.get("InstitutionName", "North/South Hospital").startswith("North/South Hospital"), kind
        assert complaints(ds, tmp_path) == [], kind
        assert b"\x1b" not in documents.encode(stored)[:1000]


# --- Other sources ----------------------------------------------------------------------------------------


def test_one_slice_of_the_sample_ct_is_enough(grown, report, tmp_path):
    ds = pydicom.dcmread(pydicom.data.get_testdata_file("CT_small.dcm"))
    lesion = replace(grown, mask=grown.mask[3:4])

    for kind, written in build_all([ds], [lesion], report).items():
        assert complaints(written, tmp_path) == [], kind


def test_frames_of_a_multi_frame_ct_are_segmented_where_they_lie(slices, grown, report, tmp_path):
    multiframe = hd.legacy.LegacyConvertedEnhancedCTImage(slices[::-1], "1.2.826.9", 1, "1.2.826.9.1", 1)
    segmentation = documents.build_segmentation([multiframe], [grown], report)
    stored = hd.seg.segread(io.BytesIO(documents.encode(segmentation)))
    volume = stored.get_volume()
    points = volume.map_indices_to_reference(np.argwhere(volume.array[..., 0]))
    document = documents.build_measurement_report([multiframe], [grown], segmentation, report)

    assert len(points) == grown.mask.sum()
    assert np.allclose(np.unique(points[:, 2]), np.unique(-95.0 + 5 * np.nonzero(grown.mask)[0]))
    assert complaints(segmentation, tmp_path) == []
    assert complaints(document, tmp_path) == []


def test_the_order_of_the_images_does_not_matter(slices, grown, report):
    sorted_ = documents.build_segmentation(slices, [grown], report)
    shuffled = documents.build_segmentation([*slices[5:], *slices[:5]], [grown], report)

    assert sorted_.pixel_array.tolist() == shuffled.pixel_array.tolist()
    assert sorted_.SOPInstanceUID == shuffled.SOPInstanceUID


def test_real_ct_gives_objects_that_conform(test_data, grown, report, tmp_path):
    folder = test_data / "ct" / "crlm-ct-1004-abdomen" / "image"
    if not folder.is_dir():
        pytest.skip("ct/crlm-ct-1004-abdomen is not among the test data")
    source = [pydicom.dcmread(path, stop_before_pixels=True) for path in sorted(folder.glob("*.dcm"))]
    source.sort(key=lambda ds: ds.ImagePositionPatient[2])
    lesion = replace(grown, mask=np.ones((3, 20, 20), bool), offset_zyx=(10, 200, 200))
    objects = build_all(source, [lesion], report)
    stored = hd.seg.segread(io.BytesIO(documents.encode(objects["SEG"])))
    volume = stored.get_volume()

    points = volume.map_indices_to_reference(np.argwhere(volume.array[..., 0]))

    assert len(points) == 1200
    assert sorted(set(points[:, 2])) == [float(ds.ImagePositionPatient[2]) for ds in source[10:13]]
    for kind, ds in objects.items():
        assert complaints(ds, tmp_path) == [], kind


def test_names_of_real_files_survive(test_data, grown, report):
    folder = test_data / "charset-and-nasty" / "fo-dicom" / "charset"
    if not folder.is_dir():
        pytest.skip("charset-and-nasty is not among the test data")
    for path in sorted(folder.glob("chr[AFGHIJKRX]*.dcm")):
        ds = pydicom.dcmread(path)
        ds.StudyInstanceUID, ds.SeriesInstanceUID = generate_uid(), generate_uid()
        ds.SOPInstanceUID, ds.SOPClassUID = generate_uid(), "1.2.840.10008.5.1.4.1.1.2"
        stored = read_back(documents.build_encapsulated_pdf([ds], b"%PDF-1.7", report))

        # Decoding by pydicom leaves the ISO 2022 designators of Chinese in the name.
        assert str(stored.PatientName) == str(ds.PatientName).replace("\x1b$)A", ""), path.name
