"""A patient's course as one value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sightline.care import reporting, response
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


def lesion_organ(kind: str, label: str) -> str:
    """Return the organ that a finding's kind and label name, ``other`` where they name none.

    >>> lesion_organ("measurement", "left adrenal nodule"), lesion_organ("measurement", "Long axis 3")
    ('adrenal gland', 'other')
    """
    return response.organ_of(kind, label)[0] or "other"
