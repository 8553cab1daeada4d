"""The response at one time point as a preliminary Comprehensive SR: TID 1500 with TID 4106 in it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import highdicom as hd
from highdicom.sr import CodedConcept, RelationshipTypeValues
from highdicom.sr import templates as tid
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from sightline.care.response._evaluation import Evaluated
from sightline.record import derived
from sightline.record.derived import MANUFACTURER, SIMULATED, coded, plain
from sightline.science import response

SERIES_NUMBER = 950
CONTAINS = RelationshipTypeValues.CONTAINS

NAMES = {
    "long-axis": codes.SCT.LongAxis,
    "short-axis": codes.SCT.ShortAxis,
    "volume": codes.SCT.Volume,
}
UNITS = {
    "mm": CodedConcept("mm", "UCUM", "millimeter"),
    "mm2": CodedConcept("mm2", "UCUM", "square millimeter"),
    "mm3": CodedConcept("mm3", "UCUM", "cubic millimeter"),
    "%": CodedConcept("%", "UCUM", "percent"),
}
# TID 4106 has one code for the sum of one method only, so ours are named in words.
FREE_TEXT = "99SIGHTLINE"


@dataclass(frozen=True, slots=True)
class Told:
    """What is written: an evaluation, which of its time points, and when."""

    evaluated: Evaluated
    index: int
    at: datetime

    @property
    def evaluation(self) -> response.Evaluation:
        """The evaluation, which there is."""
        assert self.evaluated.evaluation is not None
        return self.evaluated.evaluation

    @property
    def point(self) -> response.PointResponse:
        """What is said at the time point."""
        return self.evaluation.points[self.index]


def build_response_report(source: Sequence[Dataset], told: Told) -> hd.sr.ComprehensiveSR:
    """Return a partial, preliminary, unverified SR: the lesions measured, then the response with its reasons.

    Parameters
    ----------
    source : headers of images of the study of the time point
        At least one; they become the evidence, and patient and study are copied from the first.

    References
    ----------
    PS3.16 TID 1500 (report), 1501 (measurement group), 1502 (time point), 4106 (response evaluation, followed
    here without its identifier, since its lists know RECIST and WHO only), CID 6143. PS3.3 C.17.2: Completion
    Flag PARTIAL, Preliminary Flag PRELIMINARY, Verification Flag UNVERIFIED.
    """
    headers = derived.read_headers(source, named=False)
    local = derived.local_time(headers[0], told.at)
    identity = ("response", told.point.time_point, told.evaluation.criterion, told.at.isoformat())
    document = hd.sr.ComprehensiveSR(
        evidence=headers,
        content=_content(headers[0], told),
        series_instance_uid=derived.deterministic_uid(*identity, "series"),
        series_number=SERIES_NUMBER,
        sop_instance_uid=derived.deterministic_uid(*identity, "instance"),
        instance_number=1,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=MANUFACTURER,
        software_versions=derived.software_version(),
        device_serial_number=derived.device_uid(),
        series_description=derived.series_description(
            "Tumour response, draft", simulated=told.evaluated.simulated
        ),
        is_complete=False,
        is_final=False,
        is_verified=False,
        content_date=local.date(),
        content_time=local.time(),
        specific_character_set=derived.CHARACTER_SET,
    )
    derived.stamp(document, headers[0], told.at)
    document.PatientName = derived.patient_name(source[0])
    return document


def _content(header: Dataset, told: Told) -> Dataset:
    device = tid.DeviceObserverIdentifyingAttributes(
        uid=derived.device_uid(),
        name=MANUFACTURER,
        manufacturer_name=MANUFACTURER,
        model_name=f"{MANUFACTURER} {derived.software_version()}",
    )
    context = tid.ObservationContext(observer_device_context=tid.ObserverContext(codes.DCM.Device, device))
    procedure = CodedConcept("363679005", "SCT", "Imaging procedure")
    root = derived.measurement_report(
        list(_groups(told)), context, procedure, nothing="No lesion was measured at this time point."
    )
    root.ContentSequence.append(_response(told))
    if told.evaluated.simulated:
        root.ContentSequence.append(_text(codes.DCM.Comment, f"{SIMULATED} data, not a patient."))
    return root


def _groups(told: Told) -> Iterator[tid.MeasurementsAndQualitativeEvaluations]:
    """TID 1501 of each lesion measured at the time point, with its tracking UID."""
    for lesion in told.evaluated.built.course.lesions:
        seen = lesion.observations.get(told.point.time_point)
        numbers = [m for m in seen.measurements if m.quantity in NAMES] if seen else []
        if seen is None or not numbers:
            continue
        group = tid.MeasurementsAndQualitativeEvaluations(
            tracking_identifier=tid.TrackingIdentifier(uid=lesion.uid, identifier=plain(lesion.label)),
            time_point_context=tid.TimePointContext(
                time_point=told.point.date.isoformat(), time_point_order=told.index + 1
            ),
            finding_type=codes.SCT.Lesion,
            finding_category=codes.SCT.MorphologicallyAbnormalStructure,
            measurements=[_measurement(m) for m in numbers],
        )
        words = f"{lesion.role} lesion; organ {lesion.organ}; {seen.state}"
        group[0].ContentSequence.append(_text(codes.DCM.Comment, words))
        yield group


def _measurement(m: response.Measurement) -> tid.Measurement:
    """TID 300, with the ends of the 95 % interval as TID 310 where there is one."""
    unit = UNITS[m.unit] if m.unit in UNITS else CodedConcept(m.unit, "UCUM", m.unit)
    properties = None
    if m.low is not None and m.high is not None:
        properties = tid.MeasurementProperties(
            upper_measurement_uncertainty=round(m.high - m.value, 6),
            lower_measurement_uncertainty=round(m.value - m.low, 6),
        )
    measurement = tid.Measurement(name=NAMES[m.quantity], value=m.value, unit=unit, properties=properties)
    for item in measurement[0].get("ContentSequence", []):
        if item.ValueType == "NUM":  # the library writes these without unit
            item.MeasuredValueSequence[0].MeasurementUnitsCodeSequence = [unit]
    return measurement


def _response(told: Told) -> hd.sr.ContainerContentItem:
    """TID 4106: the method, the response of targets and non-targets now, the best overall, and why."""
    point, evaluation = told.point, told.evaluation
    container = hd.sr.ContainerContentItem(coded(response.RESPONSE_CONTAINER), relationship_type=CONTAINS)
    items: list[hd.sr.ContentItem] = [_method(evaluation)]
    found = (response.target_code(point), response.non_target_code(point))
    items += [
        hd.sr.CodeContentItem(coded(response.CURRENT_RESPONSE), coded(code), CONTAINS)
        for code in found
        if code is not None
    ]
    items += [
        _text(coded(response.CURRENT_RESPONSE), f"{point.category} ({evaluation.title}), draft"),
        _text(coded(response.BEST_RESPONSE), f"{evaluation.best.category}, draft"),
    ]
    items += list(_numbers(told))
    items += [_text(codes.DCM.Comment, words) for words in _words(told)]
    container.ContentSequence = hd.sr.ContentSequence(items)
    return container


def _method(evaluation: response.Evaluation) -> hd.sr.ContentItem:
    code = response.METHODS.get(evaluation.criterion)
    if code is not None:
        return hd.sr.CodeContentItem(coded(response.RESPONSE_METHOD), coded(code), CONTAINS)
    return _text(coded(response.RESPONSE_METHOD), f"{evaluation.title}, version {evaluation.version}")


def _numbers(told: Told) -> Iterator[hd.sr.ContentItem]:
    point = told.point
    unit = UNITS.get(point.unit)
    rows = (
        ("sum", f"value by {told.evaluation.title}", point.value, unit),
        ("from-baseline", "change from baseline", point.change_percent, UNITS["%"]),
        ("from-nadir", "change from nadir", point.nadir_change_percent, UNITS["%"]),
    )
    for code, name, value, of in rows:
        if value is not None and of is not None:
            concept = CodedConcept(code, FREE_TEXT, derived.short_text(name))
            yield hd.sr.NumContentItem(concept, round(value, 6), of, relationship_type=CONTAINS)


def _words(told: Told) -> Iterator[str]:
    yield "Draft, computed from the lesions a person chose; a reader decides."
    possible = told.evaluated.plausible.get(told.point.time_point, ())
    if len(possible) > 1:
        yield f"Within the intervals of the measurements: {' or '.join(possible)}."
    yield told.evaluation.citation
    for reason in (*told.point.reasons, *told.evaluation.warnings):
        yield reason.text


def _text(name: CodedConcept, text: str) -> hd.sr.TextContentItem:
    return hd.sr.TextContentItem(name, plain(text), CONTAINS)
