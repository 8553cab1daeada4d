"""What is read or played and not scrolled: documents, films, and waveforms as values.

Invariants: every one is a read of the archive, permitted and noted as such; bytes leave as they are stored,
and a browser is told to show only a PDF; values of a waveform are what the object's calibration makes of its
samples.
"""

from sightline.care.documents._model import (
    Annotation,
    Channel,
    DocumentFile,
    Film,
    Group,
    NotADocument,
    NotAFilm,
    NotAWaveform,
    Recording,
    TooManySamples,
    WaveformNotReadable,
)
from sightline.care.documents._service import (
    FILM_ENDINGS,
    Bytes,
    Place,
    describe_film,
    describe_waveform,
    open_document,
    open_film,
    read_waveform,
)

__all__ = [
    "FILM_ENDINGS",
    "Annotation",
    "Bytes",
    "Channel",
    "DocumentFile",
    "Film",
    "Group",
    "NotADocument",
    "NotAFilm",
    "NotAWaveform",
    "Place",
    "Recording",
    "TooManySamples",
    "WaveformNotReadable",
    "describe_film",
    "describe_waveform",
    "open_document",
    "open_film",
    "read_waveform",
]
