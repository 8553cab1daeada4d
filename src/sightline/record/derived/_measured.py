"""The root of a measurement report; one with nothing in it the library cannot build."""

from collections.abc import Sequence

import highdicom as hd
from highdicom.sr import CodedConcept, RelationshipTypeValues
from highdicom.sr import templates as tid
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

Group = (
    tid.MeasurementsAndQualitativeEvaluations
    | tid.PlanarROIMeasurementsAndQualitativeEvaluations
    | tid.VolumetricROIMeasurementsAndQualitativeEvaluations
)


def measurement_report(
    groups: Sequence[Group],
    context: tid.ObservationContext,
    procedure: CodedConcept,
    *,
    nothing: str,
) -> Dataset:
    """Return the root of TID 1500 over groups of measurements; without any, `nothing` says so in words."""
    if not groups:
        return _nothing_measured(context, procedure, nothing)
    return tid.MeasurementReport(
        observation_context=context,
        procedure_reported=procedure,
        imaging_measurements=groups,
        title=codes.DCM.ImagingMeasurementReport,
    )[0]


def _nothing_measured(
    context: tid.ObservationContext, procedure: CodedConcept, words: str
) -> hd.sr.ContainerContentItem:
    """Return the root that says in words that nothing was measured: row 12 instead of row 8."""
    root = hd.sr.ContainerContentItem(codes.DCM.ImagingMeasurementReport, template_id="1500")
    root.ContentSequence = hd.sr.ContentSequence()
    root.ContentSequence.extend(
        tid.LanguageOfContentItemAndDescendants(CodedConcept("en-US", "RFC5646", "English (United States)"))
    )
    root.ContentSequence.extend(context)
    root.ContentSequence.append(
        hd.sr.CodeContentItem(codes.DCM.ProcedureReported, procedure, RelationshipTypeValues.HAS_CONCEPT_MOD)
    )
    evaluations = hd.sr.ContainerContentItem(
        CodedConcept("C0034375", "UMLS", "Qualitative Evaluations"),
        relationship_type=RelationshipTypeValues.CONTAINS,
    )
    evaluations.ContentSequence = hd.sr.ContentSequence(
        [hd.sr.TextContentItem(codes.DCM.Finding, words, RelationshipTypeValues.CONTAINS)]
    )
    root.ContentSequence.append(evaluations)
    return root
