"""What is told of an object that is read or played, not scrolled."""

from dataclasses import dataclass, field

from sightline.kernel.errors import Invalid, NotFound


class NotADocument(NotFound):
    """The object holds no document in a file of its own; ask for what it is."""


class NotAFilm(NotFound):
    """The object holds no film; ask for its frames."""


class NotAWaveform(NotFound):
    """The object holds no waveform, or no such group of channels; ask for its list of groups."""


class WaveformNotReadable(Invalid):
    """The samples cannot be turned into values; fetch the object as it is stored."""


class TooManySamples(Invalid):
    """More samples are asked for than are given at once; ask for fewer at a time."""


@dataclass(frozen=True, slots=True)
class DocumentFile:
    """A file inside of an object: its media type, whether a browser may show it, a plain name."""

    media_type: str
    shown: bool
    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Film:
    """A film as it is stored: what it is packed in, how it is coded, and whether browsers know that."""

    media_type: str
    container: str
    codec: str
    codecs: str
    transfer_syntax: str
    size: int
    frames: int
    rows: int
    columns: int
    frame_ms: float | None


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel of a waveform (PS3.3 C.10.9.1.4); `lead` is short, and empty where it is no ECG lead.

    `unit` is the unit of the values that are given, `stated_unit` what the object says; `calibrated` is False
    where the object states no sensitivity, so that the values are the stored numbers.
    """

    name: str
    lead: str
    unit: str
    stated_unit: str
    calibrated: bool
    skew_s: float
    low_hz: float | None
    high_hz: float | None
    notch_hz: float | None


@dataclass(frozen=True, slots=True)
class Group:
    """One multiplex group: channels that were sampled together (PS3.3 C.10.9.1)."""

    number: int
    label: str
    originality: str
    frequency_hz: float
    offset_ms: float
    samples: int
    stated_samples: int
    channels: tuple[Channel, ...]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Annotation:
    """What the object says of itself: a text, a coded statement or a number (PS3.3 C.10.10).

    `at_s` are seconds from the start of the group; empty for the whole.
    """

    name: str
    text: str
    value: float | None
    unit: str
    group: int | None
    channels: tuple[int, ...]
    at_s: tuple[float, ...]
    extent: str


@dataclass(frozen=True, slots=True)
class Recording:
    """A waveform object: its groups, and what it says of them."""

    acquired: str
    groups: tuple[Group, ...]
    annotations: tuple[Annotation, ...] = field(default=())
    more_annotations: int = 0
