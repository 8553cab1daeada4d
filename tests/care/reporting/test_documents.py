"""What a signed report's documents promise before any outside judge reads them."""

from dataclasses import replace
from datetime import UTC, date, datetime

import highdicom as hd
import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from sightline.care.reporting import _documents as documents
from sightline.care.reporting._documents._planes import order_planes
from sightline.kernel.codes import LUNG_NODULE, RIGHT_LUNG
from sightline.kernel.quantities import Quantity
from sightline.record import derived
from sightline.science import volumes


@pytest.fixture
def image() -> Dataset:
    return pydicom.dcmread(get_testdata_file("CT_small.dcm"))


@pytest.fixture
def nodule() -> documents.ReportedLesion:
    return documents.ReportedLesion(
        number=1,
        label="right lung, nodule",
        tracking_uid="2.25.101",
        site=RIGHT_LUNG,
        finding=LUNG_NODULE,
        volume=Quantity(416.2, "mm3", "partial volume", 364.1, 468.3),
        mask=np.ones((1, 5, 5), bool),
        offset_zyx=(0, 10, 10),
        algorithm=("chest-ct-nodules", "1.0.0"),
    )


@pytest.fixture
def report() -> documents.SignedReport:
    return documents.SignedReport(
        report_id="r-1",
        version=3,
        title="CT chest report",
        sections=(("Impression", ("Growing nodule.",)),),
        signed_by="Dr Ada Adams",
        signed_at=datetime(2026, 11, 24, 10, 30, tzinfo=UTC),
        organisation="North Hospital",
    )


@pytest.fixture
def study() -> documents.ReportedStudy:
    return documents.ReportedStudy(
        patient_name="ADAMS, Ada",
        patient_id="123",
        birth_date=date(1960, 1, 2),
        sex="F",
        study_uid="1.2.3",
        study_date=date(2026, 11, 24),
        exam="CT chest",
        accession="A-7",
        referrer="",
    )


def test_a_uid_is_valid_and_always_that_of_its_parts():
    uid = documents.deterministic_uid("report", "7")

    assert pydicom.uid.UID(uid).is_valid
    assert len(uid) <= 64
    assert uid == documents.deterministic_uid("report", "7")
    assert uid != documents.deterministic_uid("report7")


def test_a_report_without_a_time_zone_is_refused(report):
    with pytest.raises(ValueError, match="time zone"):
        replace(report, signed_at=report.signed_at.replace(tzinfo=None))


@pytest.mark.parametrize("mask", [None, np.zeros((1, 5, 5), bool)])
def test_a_report_without_a_voxel_has_no_segmentation(image, nodule, report, mask):
    with pytest.raises(documents.NothingToSegment, match="without a segmentation"):
        documents.build_segmentation([image], [replace(nodule, mask=mask)], report)


@pytest.mark.parametrize("offset", [(1, 0, 0), (0, 124, 0), (0, 0, 124), (0, -1, 0)])
def test_a_mask_beyond_the_images_is_refused(image, nodule, report, offset):
    with pytest.raises(documents.MaskOutsideImages, match="lesion 1 reaches beyond"):
        documents.build_segmentation([image], [replace(nodule, offset_zyx=offset)], report)


@pytest.mark.parametrize(
    "keyword", ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID"]
)
def test_images_without_their_uids_are_refused(image, nodule, report, keyword):
    del image[keyword]

    with pytest.raises(documents.IncompleteSource, match=keyword):
        documents.build_measurement_report([image], [nodule], None, report)


def test_images_without_a_frame_of_reference_cannot_be_segmented(image, nodule, report):
    del image.FrameOfReferenceUID

    with pytest.raises(documents.IncompleteSource, match="FrameOfReferenceUID"):
        documents.build_segmentation([image], [nodule], report)


def stack(heights, *, drift=0.0) -> list[Dataset]:
    """The sample CT at some heights in mm, each slice moved sideways in proportion."""
    slices = []
    for number, height in enumerate(heights, start=1):
        ds = pydicom.dcmread(get_testdata_file("CT_small.dcm"))
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"1.2.826.1.{number}"
        ds.ImagePositionPatient = [-40 + drift * height, -40, height]
        slices.append(ds)
    return slices


@pytest.mark.parametrize("heights", [[0, 5, 10, 15], [15, 0, 10, 5], [0, 5, 5, 10, 15]])
def test_planes_are_ordered_as_their_volume_is(heights):
    slices = stack(heights)
    localizer = pydicom.dcmread(get_testdata_file("CT_small.dcm"))
    localizer.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    series = [localizer, *slices]
    volume = volumes.assemble_volume(series)
    planes = order_planes(series)

    assert tuple(series[plane.image].SOPInstanceUID for plane in planes) == volume.sop_uids
    assert tuple(plane.frame + 1 for plane in planes) == volume.frame_numbers


def test_frames_are_ordered_as_their_volume_is():
    multiframe = hd.legacy.LegacyConvertedEnhancedCTImage(stack([15, 0, 10, 5]), "1.2.9", 1, "1.2.9.1", 1)
    volume = volumes.assemble_volume([multiframe])

    assert tuple(plane.frame + 1 for plane in order_planes([multiframe])) == volume.frame_numbers


def test_a_sheared_stack_is_not_segmented(nodule, report):
    slices = stack([0, 5, 10, 15], drift=0.2)

    assert volumes.assemble_volume(slices).resampled
    with pytest.raises(documents.MaskOutsideImages, match="tilted gantry"):
        documents.build_segmentation(slices, [nodule], report)


def test_images_that_do_not_say_where_they_lie_cannot_be_segmented(image, nodule, report):
    del image.ImagePositionPatient

    with pytest.raises(documents.IncompleteSource, match="ImagePositionPatient"):
        documents.build_segmentation([image], [nodule], report)


def test_images_of_two_studies_are_refused(image, nodule, report):
    other = pydicom.dcmread(get_testdata_file("CT_small.dcm"))
    other.StudyInstanceUID = "1.2.3"

    with pytest.raises(documents.IncompleteSource, match="more than one study"):
        documents.build_encapsulated_pdf([image, other], b"%PDF-1.7", report)


def test_no_image_at_all_is_refused(nodule, report):
    with pytest.raises(documents.IncompleteSource, match="at least one"):
        documents.build_segmentation([], [nodule], report)


def test_what_the_images_lack_of_type_2_is_written_empty(image, nodule, report):
    for keyword in (
        "PatientBirthDate",
        "AccessionNumber",
        "StudyID",
        "ReferringPhysicianName",
        "PatientName",
    ):
        if keyword in image:
            del image[keyword]
    ds = documents.build_measurement_report([image], [nodule], None, report)

    assert ds.AccessionNumber == ""
    assert "PatientBirthDate" in ds
    assert "ReferringPhysicianName" in ds


def test_what_no_date_or_sex_can_be_is_left_empty(image, nodule, report):
    image["PatientBirthDate"] = DataElement(
        0x00100030, "DA", "unknown", validation_mode=pydicom.config.IGNORE
    )
    image.PatientSex = "XX"
    ds = documents.build_segmentation([image], [nodule], report)

    assert str(ds.PatientBirthDate or "") == ""
    assert str(ds.PatientSex or "") == ""


def test_private_elements_and_pixels_stay_behind(image):
    image.add_new(0x00091001, "LO", "private")
    (header,) = derived.read_headers([image])

    assert "PixelData" not in header
    assert not any(element.tag.is_private for element in header)


def test_sources_are_left_as_they_were(image, nodule, report):
    before = image.to_json()
    segmentation = documents.build_segmentation([image], [nodule], report)
    documents.build_measurement_report([image], [nodule], segmentation, report)

    assert image.to_json() == before


def test_a_name_of_one_part_is_kept_and_quoted_in_no_warning(image, nodule, report, recwarn, caplog):
    image.PatientName = "Unmistakable"
    ds = documents.build_segmentation([image], [nodule], report)

    assert str(ds.PatientName) == "Unmistakable"
    assert [str(w.message) for w in recwarn if "Unmistakable" in str(w.message)] == []
    assert "Unmistakable" not in caplog.text


def test_a_page_head_is_read_from_any_instance(image):
    image.PatientName, image.PatientBirthDate, image.StudyDescription = "Adams^Ada^M", "19600102", "CT chest"
    study = documents.read_study(image)

    assert study.patient_name == "Adams, Ada M"
    assert study.birth_date == date(1960, 1, 2)
    assert study.exam == "CT chest"
    assert study.study_date == date(2004, 1, 19)


def test_the_page_escapes_all_that_comes_from_outside(report, nodule, study):
    attack = "<script>alert(1)</script>"
    page = documents.render_report_html(
        replace(report, title=attack, organisation=attack, signed_by=attack, sections=((attack, (attack,)),)),
        [replace(nodule, label=attack, change=attack, algorithm=(attack, attack))],
        study=replace(study, patient_name=attack, exam=attack, referrer=attack),
    )

    assert "<script" not in page.lower()
    assert page.count("&lt;script&gt;") >= 11


def test_the_page_gives_value_interval_and_unit(report, nodule, study):
    skewed = replace(nodule, number=2, volume=Quantity(90.0, "mm3", "x", 80.0, 120.0))
    bare = replace(nodule, number=3, volume=Quantity(5.25, "mm", "x"))
    page = documents.render_report_html(report, [nodule, skewed, bare], study=study)

    assert '416 ± 52 <span class="unit">mm³</span>' in page
    assert '90.0 <span class="unit">mm³</span><br>(80.0 to 120.0)' in page
    assert '5.2 <span class="unit">mm</span>' in page
    assert "no comparison" in page
    assert "<bdi>female</bdi>" in page


def test_simulated_data_carry_the_amber_tag_and_real_data_do_not(report, nodule, study):
    simulated = documents.render_report_html(replace(report, simulated=True), [nodule], study=study)
    real = documents.render_report_html(report, [nodule], study=study)

    assert '<p class="simulated">SIMULATED data, not a patient</p>' in simulated
    assert "<title>SIMULATED CT chest report</title>" in simulated
    assert "SIMULATED" not in real


def test_every_page_says_once_that_it_is_research_software(report, nodule, study):
    page = documents.render_report_html(report, [nodule], study=study)

    assert page.count("Research software, not a medical device.") == 1


@pytest.mark.parametrize(
    "reference",
    [
        '<img src="file:///etc/hostname" alt="">',
        '<img src="http://127.0.0.1:9/x.png" alt="">',
        '<img src="data:image/png;base64,AAAA" alt="">',
        '<link rel="stylesheet" href="https://127.0.0.1:9/x.css">',
        '<p style="background: url(file:///etc/hostname)">x</p>',
        '<style>@font-face { font-family: x; src: url("file:///etc/hostname") }</style>',
    ],
)
def test_a_page_that_reaches_outside_is_not_rendered(reference):
    page = f'<!DOCTYPE html><html lang="en"><head><title>x</title></head><body>{reference}</body></html>'

    with pytest.raises(documents.ReportReachesOutside, match="outside itself"):
        documents.render_report_pdf(page)


def test_the_same_page_gives_the_same_pdf(report, nodule, study):
    page = documents.render_report_html(report, [nodule], study=study)
    pdf = documents.render_report_pdf(page)

    assert pdf.startswith(b"%PDF-1.7")
    assert pdf == documents.render_report_pdf(page)
