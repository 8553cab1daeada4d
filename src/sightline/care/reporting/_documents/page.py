"""The report as a page for people: one HTML document that prints, holds everything and runs nothing."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from html import escape as escape_markup

from sightline.care.reporting._documents._model import ReportedLesion, SignedReport
from sightline.care.reporting._documents._study import ReportedStudy
from sightline.kernel.quantities import Quantity
from sightline.record.derived import plain

NOT_A_DEVICE = "Research software, not a medical device."

_SEXES = {"M": "male", "F": "female", "O": "other"}
_UNITS = {"mm3": "mm³", "cm3": "cm³", "[hnsf'U]": "HU"}

# The first that the machine has; the last ones carry scripts that the first lack.
_FONTS = (
    '"Noto Sans", "Liberation Sans", "Helvetica Neue", Arial, "DejaVu Sans", '
    '"Noto Sans Arabic", "Noto Sans CJK JP", "Droid Sans Fallback", sans-serif'
)

_STYLE = """
@page { size: A4; margin: 14mm 18mm 18mm; font-family: FONTS; font-size: 11px; color: #5a6672;
  @bottom-left { content: string(patient) string(number) string(mark) }
  @bottom-right { content: "Page " counter(page) " of " counter(pages) } }
html { font-family: FONTS; font-size: 15px; line-height: 1.4; color: #1b2530; background: #fff }
@media screen { body { padding: 24px } }
body { margin: 0 auto; max-width: 46em; font-variant-numeric: tabular-nums }
header { border-bottom: 2px solid #0b6e99; padding-bottom: 8px }
header .organisation { color: #0b6e99; font-weight: 600; margin: 0 }
h1 { font-size: 24px; line-height: 1.25; margin: 2px 0 0 }
h2 { font-size: 15px; margin: 14px 0 2px; color: #0b6e99; break-after: avoid }
p { margin: 0 0 4px; orphans: 2; widows: 2 }
.simulated { background: #f2b84b; color: #241a00; font-weight: 700; padding: 4px 10px; border-radius: 4px;
  margin: 10px 0 0; string-set: mark " · " content() }
dl.subject { display: grid; grid-template-columns: 1fr 1fr 1fr; gap: 4px 20px; margin: 8px 0 0 }
dl.subject dt, .quiet { color: #5a6672; font-size: 12px }
dl.subject dd { margin: 0 }
dl .patient dd { string-set: patient content() }
dl .patient-id dd { string-set: number " · " content() }
table { border-collapse: collapse; width: 100%; font-size: 13px; margin-top: 6px }
caption { text-align: left; color: #5a6672; font-size: 12px; padding-bottom: 2px }
th, td { text-align: left; vertical-align: top; padding: 4px 10px 4px 0; border-bottom: 1px solid #d5dbe1 }
thead th { font-size: 12px; color: #5a6672; font-weight: 600; border-bottom-color: #8a96a3 }
td.number { white-space: nowrap }
td.finding { width: 30% }
tr { break-inside: avoid }
.unit { color: #5a6672 }
.signature { margin-top: 16px; break-inside: avoid; break-before: avoid }
.signature strong { display: block }
footer { margin-top: 12px; color: #5a6672; font-size: 12px; break-inside: avoid; break-before: avoid }
""".replace("FONTS", _FONTS)


def render_report_html(
    report: SignedReport, lesions: Sequence[ReportedLesion], *, study: ReportedStudy
) -> str:
    """Return the signed report as one HTML document; the same text is what the PDF shows.

    Everything that comes from outside is escaped; there is no script, no link and no image.
    """
    head = _head(report, study)
    sections = "".join(_section(heading, paragraphs) for heading, paragraphs in report.sections)
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(_title(report))}</title>"
        f'<meta name="author" content="{escape(report.signed_by)}">'
        f'<meta name="dcterms.created" content="{report.signed_at.isoformat()}">'
        f'<meta name="dcterms.modified" content="{report.signed_at.isoformat()}">'
        f"<style>{_STYLE}</style></head>\n<body>\n"
        f"{head}<main>\n{sections}{_measurements(lesions)}</main>\n{_signature(report)}</body></html>\n"
    )


def escape(text: str) -> str:
    """Return the text for HTML, without markup and control characters."""
    return escape_markup(plain(text))


def _title(report: SignedReport) -> str:
    return f"SIMULATED {report.title}" if report.simulated else report.title


def _head(report: SignedReport, study: ReportedStudy) -> str:
    simulated = '<p class="simulated">SIMULATED data, not a patient</p>' if report.simulated else ""
    rows = (
        ("Patient", study.patient_name),
        ("Patient ID", study.patient_id),
        ("Born", _day(study.birth_date)),
        ("Sex", _SEXES.get(study.sex, study.sex)),
        ("Examination", study.exam),
        ("Date", _day(study.study_date)),
        ("Accession", study.accession),
        ("Referred by", study.referrer),
        ("Compared with", _day(report.prior_study_date)),
    )
    facts = "".join(
        f'<div class="{name.lower().replace(" ", "-")}"><dt>{name}</dt>'
        f"<dd><bdi>{escape(value)}</bdi></dd></div>"
        for name, value in rows
        if value
    )
    return (
        f'<header><p class="organisation"><bdi>{escape(report.organisation)}</bdi></p>'
        f"<h1>{escape(report.title)}</h1>{simulated}</header>\n"
        f'<dl class="subject">{facts}</dl>\n'
    )


def _section(heading: str, paragraphs: Iterable[str]) -> str:
    body = "".join(f"<p>{escape(text)}</p>" for text in paragraphs)
    return f"<section><h2>{escape(heading)}</h2>{body}</section>\n"


def _measurements(lesions: Sequence[ReportedLesion]) -> str:
    if not lesions:
        return ""
    heads = ("", "Finding", "Volume", "Long axis", "Short axis", "Change since the prior")
    columns = "".join(f'<th scope="col">{head or "No."}</th>' for head in heads)
    rows = "".join(_row(lesion) for lesion in lesions)
    return (
        "<section><h2>Measurements</h2><table>"
        "<caption>± and ranges are 95 % intervals of the measurement.</caption>"
        f"<thead><tr>{columns}</tr></thead><tbody>{rows}</tbody></table></section>\n"
    )


def _row(lesion: ReportedLesion) -> str:
    quantities = "".join(
        f'<td class="number">{_quantity(quantity)}</td>'
        for quantity in (lesion.volume, lesion.long_axis, lesion.short_axis)
    )
    return (
        f'<tr><th scope="row">{lesion.number}</th><td class="finding">{escape(_capitalised(lesion.label))}'
        f'<br><span class="quiet">{escape(lesion.origin)}</span></td>{quantities}'
        f"<td>{escape(lesion.change or 'no comparison')}</td></tr>"
    )


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


def _quantity(quantity: Quantity | None) -> str:
    """Return value, 95 % interval and unit: ± where it is symmetric within a tenth, else the range."""
    if quantity is None:
        return "–"
    unit = f'<span class="unit">{escape(_UNITS.get(quantity.unit, quantity.unit))}</span>'
    digits = 0 if quantity.value >= 100 else 1
    value = f"{quantity.value:.{digits}f}"
    if quantity.low is None or quantity.high is None:
        return f"{value} {unit}"
    above, below = quantity.high - quantity.value, quantity.value - quantity.low
    if abs(above - below) <= 0.1 * max(above, below):
        return f"{value} ± {(above + below) / 2:.{digits}f} {unit}"
    return f"{value} {unit}<br>({quantity.low:.{digits}f} to {quantity.high:.{digits}f})"


def _signature(report: SignedReport) -> str:
    identity = f"Report {report.report_id}, version {report.version}."
    return (
        f'<div class="signature"><span class="quiet">Signed by</span>'
        f"<strong><bdi>{escape(report.signed_by)}</bdi></strong>"
        f"{_moment(report.signed_at)}, <bdi>{escape(report.organisation)}</bdi></div>\n"
        f"<footer>{escape(identity)} Made with Sightline. {NOT_A_DEVICE}</footer>\n"
    )


def _day(day: date | None) -> str:
    return f"{day.day} {day:%B %Y}" if day else ""


def _moment(moment: datetime) -> str:
    return f"{_day(moment.date())}, {moment:%H:%M} {moment:%Z}"
