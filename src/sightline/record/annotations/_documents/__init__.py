"""Annotations as DICOM objects, written and read: TID 1500 SR, key objects, presentation states, SEG.

Pure: frozen values and headers in, datasets out, and back; no database, no archive.
"""

from sightline.record.annotations._documents._authoring import Author, identity_of, new_uid, series_uid_for
from sightline.record.annotations._documents.presentation import (
    build_presentation,
    is_inverse,
    read_presentation,
)
from sightline.record.annotations._documents.reading import Found, read_measurements
from sightline.record.annotations._documents.segmentation import build_segmentation, read_segmentation
from sightline.record.annotations._documents.selection import (
    as_note,
    build_selection,
    is_rejection,
    note_of,
    read_selection,
)
from sightline.record.annotations._documents.structured import build_measurements

__all__ = [
    "Author",
    "Found",
    "as_note",
    "build_measurements",
    "build_presentation",
    "build_segmentation",
    "build_selection",
    "identity_of",
    "is_inverse",
    "is_rejection",
    "new_uid",
    "note_of",
    "read_measurements",
    "read_presentation",
    "read_segmentation",
    "read_selection",
    "series_uid_for",
]
