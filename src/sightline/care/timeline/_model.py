"""A patient's course as one value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sightline.care import reporting
from sightline.record import archive, findings, timeline


@dataclass(frozen=True, slots=True)
class Course:
    """All that is known of one patient through time; studies oldest first, reports by study.

    `reports` is None for whoever may not read reports, so that "none" is never said to them.
    """

    patient: archive.Patient
    studies: Sequence[archive.Study]
    sightings: Sequence[findings.Sighting]
    comparisons: Sequence[timeline.Comparison]
    reports: Mapping[str, reporting.Report] | None


def lesion_regions(label: str, studies: Sequence[archive.Study]) -> frozenset[str]:
    """Return the regions of the body that a lesion belongs to: named by its label, else those of its studies.

    >>> sorted(lesion_regions("right lung, upper third, nodule", []))
    ['chest']
    """
    named = timeline.regions_of(label)
    return named or frozenset().union(*(timeline.regions_of(s.description, s.body_part) for s in studies))
