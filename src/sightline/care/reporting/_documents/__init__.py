"""The standard objects that a signed report becomes: SEG, TID 1500 SR, page and encapsulated PDF.

Pure: frozen values and source headers in, datasets and bytes out; no database, no clock, no network.

Invariants: the same report over the same images gives the same bytes, so a job that runs twice stores
one object; patient and study are those of the source images; text is UTF-8 (ISO_IR 192); simulated data
says so in every object.
"""

from sightline.care.reporting._documents._model import (
    CHANGE_CODES,
    LESION,
    MaskOutsideImages,
    NothingToSegment,
    ReportedLesion,
    ReportReachesOutside,
    SignedReport,
)
from sightline.care.reporting._documents._study import ReportedStudy, read_study
from sightline.care.reporting._documents.page import render_report_html
from sightline.care.reporting._documents.pdf import build_encapsulated_pdf, render_report_pdf
from sightline.care.reporting._documents.segmentation import build_segmentation
from sightline.care.reporting._documents.structured import build_measurement_report
from sightline.record.derived import IncompleteSource, deterministic_uid, encode

__all__ = [
    "CHANGE_CODES",
    "LESION",
    "IncompleteSource",
    "MaskOutsideImages",
    "NothingToSegment",
    "ReportReachesOutside",
    "ReportedLesion",
    "ReportedStudy",
    "SignedReport",
    "build_encapsulated_pdf",
    "build_measurement_report",
    "build_segmentation",
    "deterministic_uid",
    "encode",
    "read_study",
    "render_report_html",
    "render_report_pdf",
]
