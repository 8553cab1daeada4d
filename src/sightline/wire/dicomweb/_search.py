"""QIDO-RS: queries in, matching attributes out (PS3.18 10.6)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydicom.datadict import dictionary_VR, tag_for_keyword

from sightline.kernel.errors import Invalid
from sightline.record import archive

LIMIT = 100
MOST = 1000
_OTHER = frozenset(
    {"limit", "offset", "includefield", "fuzzymatching", "emptyvaluematching", "multiplevaluematching"}
)


class BadQuery(Invalid):
    """A parameter of the search cannot be understood; correct it."""

    status = 400


@dataclass(frozen=True, slots=True)
class Search:
    """A search: what to match by tag, what to return besides, and which page."""

    matches: dict[str, str] = field(default_factory=dict)
    include: frozenset[str] = frozenset()
    limit: int = LIMIT
    offset: int = 0
    fuzzy: bool = False

    def unsupported(self, supported: Iterable[str]) -> list[str]:
        """Return the tags that were to be matched and cannot be."""
        return sorted(set(self.matches) - set(supported))


def parse_search(items: Iterable[tuple[str, str]]) -> Search:
    """Read a query; a parameter that is no attribute is refused."""
    pairs = list(items)
    options = dict(pairs)
    matches = {tag_of(name): value for name, value in pairs if name not in _OTHER and value}
    included = [part for name, value in pairs if name == "includefield" for part in value.split(",")]
    try:
        limit, offset = int(options.get("limit", LIMIT)), int(options.get("offset", 0))
    except ValueError:
        raise BadQuery("limit and offset are whole numbers.") from None
    if limit < 1 or offset < 0:
        raise BadQuery("limit is at least 1 and offset at least 0.")
    return Search(
        matches,
        frozenset("all" if part == "all" else tag_of(part) for part in included if part),
        min(limit, MOST),
        offset,
        options.get("fuzzymatching", "false").lower() == "true",
    )


def tag_of(name: str) -> str:
    """Return the tag of an attribute given by tag or keyword.

    >>> tag_of("PatientID"), tag_of("0020000D")
    ('00100020', '0020000D')
    """
    if len(name) == 8 and all(c in "0123456789abcdefABCDEF" for c in name):
        return name.upper()
    tag = tag_for_keyword(name)
    if tag is None:
        raise BadQuery(f"{name[:64]!r} is no attribute; name one by its keyword or its eight-digit tag.")
    return f"{tag:08X}"


STUDY_TAGS = frozenset(
    "0020000D 00080020 00080030 00080050 00080061 00080060 00080090 00100010 00100020 00200010".split()
)
SERIES_TAGS = frozenset({"0020000E", "00080060", "00200011"})
INSTANCE_TAGS = frozenset({"00080018", "00080016", "00200013"})


def study_query(search: Search) -> archive.StudyQuery:
    """Return what is asked of studies."""
    m = search.matches
    since, until = _range(m.get("00080020", ""))
    time_since, time_until = _range(m.get("00080030", ""))
    return archive.StudyQuery(
        patient_id=m.get("00100020", ""),
        name=m.get("00100010", ""),
        whole_name=not search.fuzzy,
        accession=m.get("00080050", ""),
        study_id=m.get("00200010", ""),
        referring=m.get("00080090", ""),
        since=since,
        until=until,
        time_since=time_since,
        time_until=time_until,
        modality=m.get("00080061", m.get("00080060", "")),
        study_uids=_list(m.get("0020000D", "")),
    )


def series_query(search: Search, study: str = "") -> archive.SeriesQuery:
    """Return what is asked of series."""
    m = search.matches
    return archive.SeriesQuery(
        study=study or m.get("0020000D", ""),
        modality=m.get("00080060", ""),
        series_uids=_list(m.get("0020000E", "")),
        number=_number(m.get("00200011", "")),
    )


def instance_query(search: Search, study: str = "", series: str = "") -> archive.InstanceQuery:
    """Return what is asked of instances."""
    m = search.matches
    return archive.InstanceQuery(
        study=study or m.get("0020000D", ""),
        series=series or m.get("0020000E", ""),
        sop_class=m.get("00080016", ""),
        sop_uids=_list(m.get("00080018", "")),
        number=_number(m.get("00200013", "")),
    )


def _list(value: str) -> list[str]:
    """Return a list of UIDs, which DICOM separates by backslash and the web by comma."""
    return [uid for uid in value.replace("\\", ",").split(",") if uid]


def _range(value: str) -> tuple[str, str]:
    """Return the ends of a date or time range (PS3.4 C.2.2.2.5)."""
    since, dash, until = value.replace(":", "").partition("-")
    return (since, until) if dash else (value, value)


def _number(value: str) -> int | None:
    try:
        return int(value) if value else None
    except ValueError:
        raise BadQuery("A number to match is no number.") from None


def study_attributes(study: archive.Study, root: str) -> archive.Attributes:
    """Return what a search for studies must return (PS3.18 table 10.6.3-3)."""
    values: dict[str, Any] = {
        "00080005": "ISO_IR 192",
        "00080020": study.date,
        "00080030": study.time,
        "00080050": study.accession,
        "00080056": "ONLINE",
        "00080061": list(study.modalities),
        "00080090": study.referring,
        "00081030": study.description,
        "00081190": f"{root}/studies/{study.uid}",
        "00100010": study.name,
        "00100020": study.patient_id,
        "00100030": study.birth_date,
        "00100040": study.sex,
        "0020000D": study.uid,
        "00200010": study.study_id,
        "00201206": study.series_count,
        "00201208": study.instance_count,
    }
    return _attributes(values)


def series_attributes(series: archive.Series, root: str) -> archive.Attributes:
    """Return what a search for series must return (PS3.18 table 10.6.3-4)."""
    values: dict[str, Any] = {
        "00080005": "ISO_IR 192",
        "00080056": "ONLINE",
        "00080060": series.modality,
        "0008103E": series.description,
        "00081190": f"{root}/studies/{series.study}/series/{series.uid}",
        "0020000D": series.study,
        "0020000E": series.uid,
        "00200011": series.number,
        "00201209": series.instance_count,
        "00400244": series.performed_date,
        "00400245": series.performed_time,
    }
    return _attributes(values)


def instance_attributes(instance: archive.Instance, root: str) -> archive.Attributes:
    """Return what a search for instances must return (PS3.18 table 10.6.3-5)."""
    address = f"{root}/studies/{instance.study}/series/{instance.series}/instances/{instance.sop_uid}"
    values: dict[str, Any] = {
        "00080005": "ISO_IR 192",
        "00080016": instance.sop_class,
        "00080018": instance.sop_uid,
        "00080056": "ONLINE",
        "00081190": address,
        "00083002": instance.transfer_syntax,
        "0020000D": instance.study,
        "0020000E": instance.series,
        "00200013": instance.number,
        "00280008": instance.frames,
        "00280010": instance.rows,
        "00280011": instance.columns,
        "00280100": instance.bits,
    }
    if instance.frames is None:
        values = {tag: value for tag, value in values.items() if not tag.startswith("0028")}
    return _attributes(values)


def _attributes(values: Mapping[str, Any]) -> archive.Attributes:
    return {tag: _element(tag, value) for tag, value in values.items()}


def _element(tag: str, value: Any) -> dict[str, Any]:
    """Return one attribute in DICOM JSON; one without a value has only its representation (PS3.18 F.2.5)."""
    vr = dictionary_VR(int(tag, 16)).split(" or ")[0]
    if value in ("", None, []):
        return {"vr": vr}
    if vr == "PN":
        groups = zip(("Alphabetic", "Ideographic", "Phonetic"), value.split("="), strict=False)
        return {"vr": vr, "Value": [{name: group for name, group in groups if group}]}
    return {"vr": vr, "Value": value if isinstance(value, list) else [value]}


def add_included(
    attributes: archive.Attributes, include: frozenset[str], of: archive.Attributes
) -> archive.Attributes:
    """Return attributes with those asked for besides, taken from the whole object."""
    if "all" in include:
        return dict(sorted({**of, **attributes}.items()))
    return dict(sorted({**{tag: of[tag] for tag in include if tag in of}, **attributes}.items()))
