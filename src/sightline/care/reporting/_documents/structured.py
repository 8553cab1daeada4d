"""The measurements of a signed report as Comprehensive 3D SR: the tree of calls is the tree of TID 1500."""

from collections.abc import Sequence
from datetime import date

import highdicom as hd
import numpy as np
from highdicom.sr import CodedConcept, RelationshipTypeValues
from highdicom.sr import templates as tid
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from sightline.care.reporting._documents._model import ReportedLesion, SignedReport, object_uids
from sightline.kernel.quantities import Quantity
from sightline.record import derived
from sightline.record.derived import MANUFACTURER, SIMULATED, coded, plain, short_text

SERIES_NUMBER = 900

Group = tid.VolumetricROIMeasurementsAndQualitativeEvaluations | tid.MeasurementsAndQualitativeEvaluations

_UNITS = {
    "mm": CodedConcept("mm", "UCUM", "millimeter"),
    "mm3": CodedConcept("mm3", "UCUM", "cubic millimeter"),
    "mL": CodedConcept("mL", "UCUM", "milliliter"),
    "cm3": CodedConcept("cm3", "UCUM", "cubic centimeter"),
}


def build_measurement_report(
    source: Sequence[Dataset],
    lesions: Sequence[ReportedLesion],
    segmentation: hd.seg.Segmentation | None,
    report: SignedReport,
) -> hd.sr.Comprehensive3DSR:
    """Return the verified TID 1500 report with one volumetric group (TID 1411) a segmented lesion.

    A lesion without a mask, and the line of a long axis, stand in a TID 1501 group, because TID 1411
    knows no coordinates beside its region; the tracking UID says that both are of one lesion.
    Without any lesion the report says so under *Qualitative Evaluations*.

    Parameters
    ----------
    source : headers of the images
        At least one; they become the evidence, and patient and study are copied from the first.
    lesions : in the order used for `segmentation`
    segmentation : what `build_segmentation` returned, None where there was nothing to segment
    report : the signed report

    References
    ----------
    PS3.16 TID 1500 (report), 1001-1004 (observers), 1411 and 1501 (groups), 300 and 310 (measurement and its
    uncertainty), 4019 (algorithm). PS3.3 A.35.13 (IOD), C.17.2 (verification).
    """
    headers = derived.read_headers(source, named=False)
    series_uid, instance_uid = object_uids(str(headers[0].StudyInstanceUID), report, "SR")
    signed = derived.local_time(headers[0], report.signed_at)
    document = hd.sr.Comprehensive3DSR(
        evidence=[*headers, *([segmentation] if segmentation is not None else [])],
        content=_content(headers[0], lesions, segmentation, report),
        series_instance_uid=series_uid,
        series_number=SERIES_NUMBER,
        sop_instance_uid=instance_uid,
        instance_number=report.version,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=MANUFACTURER,
        software_versions=derived.software_version(),
        device_serial_number=derived.device_uid(),
        institution_name=short_text(report.organisation),
        series_description=derived.series_description(derived.REPORT_SERIES, simulated=report.simulated),
        is_complete=True,
        is_final=True,
        is_verified=True,
        verifying_observer_name=derived.person_name(report.signed_by),
        verifying_organization=short_text(report.organisation),
        content_date=signed.date(),
        content_time=signed.time(),
        specific_character_set=derived.CHARACTER_SET,
    )
    derived.stamp(document, headers[0], report.signed_at)
    document.PatientName = derived.patient_name(source[0])
    return document


def _content(
    header: Dataset,
    lesions: Sequence[ReportedLesion],
    segmentation: hd.seg.Segmentation | None,
    report: SignedReport,
) -> Dataset:
    """Return the root container: TID 1500, then the prior that was compared and the mark of simulation."""
    groups = _groups(header, lesions, segmentation, report)
    context, procedure = _observers(report), _procedure(header)
    root = derived.measurement_report(groups, context, procedure, nothing="No lesion was measured.")
    if report.prior_study_uid:
        root.ContentSequence.append(_prior(report.prior_study_uid, report.prior_study_date))
    if report.simulated:
        root.ContentSequence.append(_comment(f"{SIMULATED} data, not a patient."))
    return root


def _observers(report: SignedReport) -> tid.ObservationContext:
    """TID 1002: the person who signed, then the software that measured."""
    person = tid.PersonObserverIdentifyingAttributes(
        name=derived.person_name(report.signed_by), organization_name=plain(report.organisation)
    )
    device = tid.DeviceObserverIdentifyingAttributes(
        uid=derived.device_uid(),
        name=MANUFACTURER,
        manufacturer_name=MANUFACTURER,
        model_name=f"{MANUFACTURER} {derived.software_version()}",
    )
    return tid.ObservationContext(
        observer_person_context=tid.ObserverContext(codes.DCM.Person, person),
        observer_device_context=tid.ObserverContext(codes.DCM.Device, device),
    )


def _procedure(header: Dataset) -> CodedConcept:
    """Return the procedure as the study codes it, else CT as such (CID 100)."""
    for item in header.get("ProcedureCodeSequence", []):
        value, scheme = item.get("CodeValue"), item.get("CodingSchemeDesignator")
        if value and scheme and item.get("CodeMeaning"):
            return CodedConcept(str(value), str(scheme), str(item.CodeMeaning))
    return CodedConcept.from_code(codes.LN.CTUnspecifiedBodyRegion)


def _groups(
    header: Dataset,
    lesions: Sequence[ReportedLesion],
    segmentation: hd.seg.Segmentation | None,
    report: SignedReport,
) -> list[Group]:
    groups: list[Group] = []
    segment = 0
    for lesion in lesions:
        if lesion.segmented and segmentation is not None:
            segment += 1
            groups.append(_volumetric_group(lesion, segmentation, segment, report))
            if lesion.long_axis is not None and lesion.long_axis_lps_mm is not None:
                groups.append(_line_group(header, lesion))
        else:
            groups.append(_plain_group(header, lesion, report))
    return groups


def _volumetric_group(
    lesion: ReportedLesion, segmentation: hd.seg.Segmentation, segment: int, report: SignedReport
) -> tid.VolumetricROIMeasurementsAndQualitativeEvaluations:
    """TID 1411: what was found, where, how large, and how that has changed."""
    group = tid.VolumetricROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=_tracking(lesion),
        referenced_segment=_segment(segmentation, segment),
        finding_category=codes.SCT.MorphologicallyAbnormalStructure,
        finding_type=coded(lesion.finding),
        finding_sites=_sites(lesion),
        algorithm_id=_algorithm(lesion),
        measurements=_measurements(lesion),
        qualitative_evaluations=_evaluations(lesion),
    )
    _remark(group, lesion, report)
    return group


def _plain_group(
    header: Dataset, lesion: ReportedLesion, report: SignedReport
) -> tid.MeasurementsAndQualitativeEvaluations:
    """TID 1501 for a lesion that no segment shows."""
    group = tid.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=_tracking(lesion),
        finding_category=codes.SCT.MorphologicallyAbnormalStructure,
        finding_type=coded(lesion.finding),
        finding_sites=_sites(lesion),
        algorithm_id=_algorithm(lesion),
        measurements=_measurements(lesion, line_in=header),
        qualitative_evaluations=_evaluations(lesion),
    )
    _remark(group, lesion, report)
    return group


def _line_group(header: Dataset, lesion: ReportedLesion) -> tid.MeasurementsAndQualitativeEvaluations:
    """TID 1501 that shows where the long axis of a segmented lesion runs."""
    assert lesion.long_axis is not None
    return tid.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=_tracking(lesion),
        finding_type=coded(lesion.finding),
        finding_sites=_sites(lesion),
        algorithm_id=_algorithm(lesion),
        measurements=[_measurement(codes.SCT.LongAxis, lesion.long_axis, _line(header, lesion))],
    )


def _segment(segmentation: hd.seg.Segmentation, number: int) -> hd.sr.ReferencedSegment:
    """Refer to a segment and the series it was drawn on; the segmentation itself names the images."""
    return hd.sr.ReferencedSegment(
        sop_class_uid=segmentation.SOPClassUID,
        sop_instance_uid=segmentation.SOPInstanceUID,
        segment_number=number,
        source_series=hd.sr.SourceSeriesForSegmentation(
            segmentation.ReferencedSeriesSequence[0].SeriesInstanceUID
        ),
    )


def _tracking(lesion: ReportedLesion) -> tid.TrackingIdentifier:
    return tid.TrackingIdentifier(
        uid=lesion.tracking_uid, identifier=plain(f"{lesion.number} {lesion.label}")
    )


def _sites(lesion: ReportedLesion) -> list[hd.sr.FindingSite] | None:
    if lesion.site is None:
        return None
    laterality = coded(lesion.laterality) if lesion.laterality is not None else None
    return [hd.sr.FindingSite(anatomic_location=coded(lesion.site), laterality=laterality)]


def _algorithm(lesion: ReportedLesion) -> tid.AlgorithmIdentification | None:
    """TID 4019; left out where a person's numbers replaced those of the algorithm."""
    if lesion.algorithm is None or lesion.decision == "edited":
        return None
    name, version = lesion.algorithm
    return tid.AlgorithmIdentification(name=plain(name), version=plain(version))


def _measurements(lesion: ReportedLesion, *, line_in: Dataset | None = None) -> list[tid.Measurement]:
    line = _line(line_in, lesion) if line_in is not None else None
    rows = (
        (codes.SCT.Volume, lesion.volume, None),
        (codes.SCT.LongAxis, lesion.long_axis, line),
        (codes.SCT.ShortAxis, lesion.short_axis, None),
    )
    return [_measurement(name, quantity, at) for name, quantity, at in rows if quantity is not None]


def _line(header: Dataset, lesion: ReportedLesion) -> hd.sr.CoordinatesForMeasurement3D | None:
    if lesion.long_axis_lps_mm is None or not header.get("FrameOfReferenceUID"):
        return None
    return hd.sr.CoordinatesForMeasurement3D(
        graphic_type=hd.sr.GraphicTypeValues3D.POLYLINE,
        graphic_data=np.asarray(lesion.long_axis_lps_mm, np.float64),
        frame_of_reference_uid=header.FrameOfReferenceUID,
    )


def _measurement(
    name: CodedConcept, quantity: Quantity, line: hd.sr.CoordinatesForMeasurement3D | None = None
) -> tid.Measurement:
    """TID 300 with the ends of the 95 % interval as TID 310 ranges above and below, in the same unit."""
    unit = _unit(quantity.unit)
    measurement = tid.Measurement(
        name=name,
        value=quantity.value,
        unit=unit,
        properties=_uncertainty(quantity),
        referenced_coordinates=[line] if line is not None else None,
    )
    for item in measurement[0].get("ContentSequence", []):
        if item.ValueType == "NUM":  # the library writes these without unit
            item.MeasuredValueSequence[0].MeasurementUnitsCodeSequence = [unit]
    return measurement


def _uncertainty(quantity: Quantity) -> tid.MeasurementProperties | None:
    if quantity.low is None or quantity.high is None:
        return None
    return tid.MeasurementProperties(
        upper_measurement_uncertainty=round(quantity.high - quantity.value, 6),
        lower_measurement_uncertainty=round(quantity.value - quantity.low, 6),
    )


def _unit(ucum: str) -> CodedConcept:
    return _UNITS.get(ucum) or CodedConcept(ucum, "UCUM", ucum)


def _evaluations(lesion: ReportedLesion) -> list[tid.QualitativeEvaluation]:
    if lesion.change_code is None:
        return []
    return [tid.QualitativeEvaluation(codes.DCM.QualitativeDifference, coded(lesion.change_code))]


def _remark(group: Group, lesion: ReportedLesion, report: SignedReport) -> None:
    """Add in words what the template has no row for: who proposed it, the methods, the change."""
    group[0].ContentSequence.append(_comment(" ".join(_remarks(lesion, report))))


def _remarks(lesion: ReportedLesion, report: SignedReport) -> list[str]:
    words = [f"{SIMULATED} data."] if report.simulated else []
    words.append(lesion.origin)
    if lesion.change:
        words.append(f"Change: {lesion.change.rstrip('.')}.")
    for name, quantity in (
        ("Volume", lesion.volume),
        ("Long axis", lesion.long_axis),
        ("Short axis", lesion.short_axis),
    ):
        if quantity is not None:
            words.append(f"{name}: {quantity.method.rstrip('.')}; {_interval(quantity)}.")
    return words


def _interval(quantity: Quantity) -> str:
    if quantity.low is None or quantity.high is None:
        return "uncertainty not given by the method"
    return f"95 % interval {quantity.low:.4g} to {quantity.high:.4g} {quantity.unit}"


def _comment(text: str) -> hd.sr.TextContentItem:
    return hd.sr.TextContentItem(codes.DCM.Comment, plain(text), RelationshipTypeValues.CONTAINS)


def _prior(study_uid: str, study_date: date | None) -> hd.sr.ContainerContentItem:
    """Return which earlier study was compared; TID 1500 may be extended, and the section is of CID 7001."""
    prior = hd.sr.ContainerContentItem(
        codes.LN.PriorProcedureDescriptions, relationship_type=RelationshipTypeValues.CONTAINS
    )
    prior.ContentSequence = hd.sr.ContentSequence(
        [hd.sr.UIDRefContentItem(codes.DCM.StudyInstanceUID, study_uid, RelationshipTypeValues.CONTAINS)]
    )
    if study_date is not None:
        prior.ContentSequence.append(
            hd.sr.DateContentItem(codes.DCM.StudyDate, study_date, RelationshipTypeValues.CONTAINS)
        )
    return prior
