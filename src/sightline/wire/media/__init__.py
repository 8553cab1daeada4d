"""Studies that people bring and take along: files, folders, ZIPs and uploads in; ZIP, DICOMDIR and NIfTI out.

Invariants: one bad file never stops the rest; nothing is unpacked to a place that its sender chose; what is
not taken is named with the reason; an upload goes on where it stood; no name of a file that goes out tells
anything of a patient.
"""

from sightline.wire.media._exporting import Entry, export_study, zipped
from sightline.wire.media._model import (
    Form,
    ImportSummary,
    NothingToExport,
    Progress,
    Upload,
    UploadNotKnown,
    UploadTooLarge,
    WrongOffset,
)
from sightline.wire.media._service import import_paths, import_stream
from sightline.wire.media._uploading import (
    MOST_PIECE,
    TAKE_IN_UPLOAD,
    add_piece,
    begin_upload,
    get_upload,
    take_in_upload,
)
from sightline.wire.media.settings import MediaSettings

__all__ = [
    "MOST_PIECE",
    "TAKE_IN_UPLOAD",
    "Entry",
    "Form",
    "ImportSummary",
    "MediaSettings",
    "NothingToExport",
    "Progress",
    "Upload",
    "UploadNotKnown",
    "UploadTooLarge",
    "WrongOffset",
    "add_piece",
    "begin_upload",
    "export_study",
    "get_upload",
    "import_paths",
    "import_stream",
    "take_in_upload",
    "zipped",
]
