"""Categories as codes of DICOM SR and of mCODE, and as rows of a table: mappings only, nothing is written.

Sources: PS3.16 TID 4106 (response), CID 6143 and 6144 (lesion response), SNOMED CT and LOINC as bound by
mCODE Cancer Disease Status.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sightline.kernel.codes import Code
from sightline.science.response._model import Evaluation, PointResponse

RESPONSE_CONTAINER = Code("112020", "DCM", "Response Evaluation")
RESPONSE_METHOD = Code("112021", "DCM", "Response Evaluation Method")
METHODS: Mapping[str, Code] = MappingProxyType({"recist-1.1": Code("112022", "DCM", "RECIST")})
"""The only criterion of ours with a method code in TID 4106; others are named by text."""

CURRENT_RESPONSE = Code("112048", "DCM", "Current Response")
BEST_RESPONSE = Code("112049", "DCM", "Best Overall Response")

TARGET_CODES: Mapping[str, Code] = MappingProxyType(
    {
        "CR": Code("112041", "DCM", "Target Lesion Complete Response"),
        "PR": Code("112042", "DCM", "Target Lesion Partial Response"),
        "PD": Code("112043", "DCM", "Target Lesion Progressive Disease"),
        "SD": Code("112044", "DCM", "Target Lesion Stable Disease"),
    }
)
"""CID 6143 and 6144, targets."""

NON_TARGET_CODES: Mapping[str, Code] = MappingProxyType(
    {
        "CR": Code("112045", "DCM", "Non-Target Lesion Complete Response"),
        "non-CR/non-PD": Code("112046", "DCM", "Non-Target Lesion Incomplete Response or Stable Disease"),
        "PD": Code("112047", "DCM", "Non-Target Lesion Progressive Disease"),
    }
)
"""CID 6143 and 6144, non-targets."""

DISEASE_STATUS = Code("97509-4", "LN", "Cancer disease progression")
DRAFT_NOTE = (
    "Draft for sign-off: a cancer disease status is a clinician's judgement from all evidence, of which this "
    "response category is one part."
)

STATUS_CODES: Mapping[str, Code] = MappingProxyType(
    {
        "CR": Code("260415000", "SCT", "Not detected"),
        "PR": Code("268910001", "SCT", "Patient's condition improved"),
        "SD": Code("359746009", "SCT", "Patient's condition stable"),
        "PD": Code("271299001", "SCT", "Patient's condition worsened"),
        "NE": Code("709137006", "SCT", "Patient condition undetermined"),
    }
)

ENGINE_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "iCR": "CR", "CMR": "CR",
        "iPR": "PR", "PMR": "PR", "MR": "PR",
        "iSD": "SD", "SMD": "SD", "NMR": "SD",
        "non-CR/non-PD": "SD", "non-iCR/non-iUPD": "SD", "non-CMR/non-PMD": "SD",
        "iCPD": "PD", "PMD": "PD",
        "iUPD": "NE", "baseline": "NE",
    }
)  # fmt: skip
"""Each criterion's word by what it amounts to; an unconfirmed progression is not yet one."""


@dataclass(frozen=True, slots=True)
class DraftStatus:
    """A cancer disease status for a clinician to accept or change; never to be sent as it is."""

    code: Code
    note: str


def draft_status(point: PointResponse) -> DraftStatus:
    """Return the mCODE Cancer Disease Status that a category suggests (LOINC 97509-4).

    Provisional categories suggest ``undetermined``.
    """
    word = "NE" if point.provisional else ENGINE_WORDS.get(point.category, point.category)
    return DraftStatus(STATUS_CODES[word], DRAFT_NOTE)


def target_code(point: PointResponse) -> Code | None:
    """Return the SR code for the response of the targets, None where the lists have none (NE, iUPD)."""
    word = point.target or ""
    return TARGET_CODES.get(ENGINE_WORDS.get(word, word))


def non_target_code(point: PointResponse) -> Code | None:
    """Return the SR code for the response of the non-targets, None where the lists have none."""
    return NON_TARGET_CODES.get(point.non_target or "")


COLUMNS = (
    "criterion", "version", "time_point", "date", "day", "category", "target", "non_target", "new_lesion",
    "value", "unit", "baseline", "nadir", "change_percent", "nadir_change", "nadir_change_percent",
    "provisional", "disregarded", "best_response", "unconfirmed_rules", "reasons",
)  # fmt: skip


def csv_rows(evaluation: Evaluation) -> tuple[tuple[str, ...], ...]:
    """Return a header and one row for each time point, all text, for `csv.writer`.

    Examples
    --------
    >>> from datetime import date
    >>> from sightline.science.response import Course, Lesion, TimePoint, csv_rows, evaluate, measured
    >>> points = TimePoint("a", date(2024, 1, 1)), TimePoint("b", date(2024, 3, 1))
    >>> seen = {"a": measured(long_axis_mm=50), "b": measured(long_axis_mm=51.5)}
    >>> rows = csv_rows(evaluate(Course(points, (Lesion("1", "T1", "lung", "target", seen),)), "recist-1.1"))
    >>> dict(zip(rows[0], rows[2]))["change_percent"]
    '3'
    """
    return (COLUMNS, *(_row(evaluation, point) for point in evaluation.points))


def _row(evaluation: Evaluation, point: PointResponse) -> tuple[str, ...]:
    doubtful = sorted({reason.rule for reason in point.reasons if not reason.confirmed})
    values = (
        evaluation.criterion, evaluation.version, point.time_point, point.date.isoformat(), point.day,
        point.category, point.target, point.non_target, point.new_lesion, point.value, point.unit,
        point.baseline, point.nadir, point.change_percent, point.nadir_change, point.nadir_change_percent,
        point.provisional, point.disregarded, evaluation.best.category, "; ".join(doubtful),
        " | ".join(reason.text for reason in point.reasons),
    )  # fmt: skip
    return tuple(_cell(value) for value in values)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
