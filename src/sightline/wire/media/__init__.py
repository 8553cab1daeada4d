"""Files, folders and ZIPs that people bring: each object in them goes to the archive, one by one.

Invariants: one bad file never stops the rest; nothing is unpacked to a place that its sender chose; what is
not taken is named with the reason.
"""

from sightline.wire.media._model import ImportSummary, Progress
from sightline.wire.media._service import import_paths, import_stream
from sightline.wire.media.settings import MediaSettings

__all__ = ["ImportSummary", "MediaSettings", "Progress", "import_paths", "import_stream"]
