"""A hanging protocol: its shape, its limits, the file it travels in, and those that are built in.

The shape is that of the viewer (`web/src/viewer/hanging-types.ts`), which checks the same; a table of refused
protocols in the tests holds both to it. Protocols name series by what describes them, never by a UID.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    ValidationError,
)
from pydantic import model_validator as check_model

from sightline.kernel.errors import Conflict, Invalid, NotFound

VERSION = 1
MOST_KEPT = 200  # of one person or site, and in one file
MOST_BYTES = 64 << 10  # of one protocol as JSON
MOST_FILE_BYTES = 4 << 20
MOST_FAULTS = 20


class NotAHangingProtocol(Invalid):
    """What was given is no hanging protocol; the message names the path of each fault."""


class HangingProtocolNotHeld(NotFound):
    """There is no hanging protocol of this id among yours, or the site's."""


class HangingProtocolExists(Conflict):
    """A hanging protocol of this id is kept already; change that one, or choose another id."""


class TooManyHangingProtocols(Conflict):
    """No more hanging protocols are kept for one person or site; remove one first."""


class Owner(StrEnum):
    """Whose a protocol is, the nearest first."""

    MINE = "mine"
    SITE = "site"
    BUILT_IN = "built-in"


PRINTABLE = r"^[^\x00-\x1f\x7f-\x9f]*$"
Word = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=PRINTABLE)]
Words = Annotated[tuple[Word, ...], Field(max_length=16)]
Modality = Annotated[str, StringConstraints(min_length=1, max_length=16, pattern=r"^[A-Z0-9_]+$")]
Modalities = Annotated[tuple[Modality, ...], Field(max_length=16)]
BodyPart = Annotated[str, StringConstraints(min_length=1, max_length=32, pattern=r"^[A-Z0-9 _-]+$")]
View = Annotated[str, StringConstraints(min_length=1, max_length=16, pattern=r"^[A-Z0-9]+$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=PRINTABLE)]
Short = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=PRINTABLE)]
ProtocolId = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[a-z0-9][a-z0-9-]*$")]
Plane = Literal["axial", "sagittal", "coronal"]
Laterality = Literal["L", "R"]


class _Part(BaseModel):
    """What a protocol is made of: frozen, and without room for names that we do not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, allow_inf_nan=False)


class SeriesSelector(_Part):
    """Which series of a study; what is empty or null does not matter.

    Any of the `words`, and none of the `not_words`, stands in the description of the series. `view` is
    (0018,5101) of the image, or ``LAT`` for any lateral and ``FRONT`` for PA and AP. `nth` counts what fits.
    """

    modalities: Modalities = ()
    words: Words = ()
    not_words: Words = ()
    plane: Plane | None = None
    laterality: Laterality | None = None
    view: View | None = None
    contrast: bool | None = None
    most_images: bool = False
    nth: int = Field(default=1, ge=1, le=20)


class SlabProjection(_Part):
    """A slab of `slab_mm` and what is taken through it."""

    kind: Literal["max", "min", "average"]
    slab_mm: float = Field(gt=0, le=2000)


class WindowLevels(_Part):
    """Centre and width in the unit of the images."""

    center: float = Field(gt=-1e7, le=1e7)
    width: float = Field(gt=0, le=1e7)


class WindowPreset(_Part):
    """A window by the name of a preset of the viewer."""

    preset: Short


def _kind_of_window(value: Any) -> str:
    named = "preset" in value if isinstance(value, dict) else isinstance(value, WindowPreset)
    return "named" if named else "levels"


Window = Annotated[
    Annotated[WindowLevels, Tag("levels")] | Annotated[WindowPreset, Tag("named")],
    Discriminator(_kind_of_window),
]
TAGS = frozenset({"levels", "named"})  # pydantic puts them into the paths of faults


class HangingPane(_Part):
    """One place of a stage: which series of which study, and how it is shown.

    `study` is 0 for the current one, 1 for the chosen prior, 2 for the one before. A pane without a series
    stays empty. `side` is the edge that the image is pushed against; panes of one `link` move together.
    """

    study: int = Field(default=0, ge=0, le=8)
    series: SeriesSelector | None
    show: Literal["stack", "axial", "sagittal", "coronal", "volume"] = "stack"
    projection: SlabProjection | None = None
    window: Window | None = None
    invert: bool | None = None
    colour_map: Short | None = None
    fusion: SeriesSelector | None = None
    scale: Literal["fit", "same", "actual"] = "fit"
    side: Literal["left", "right"] | None = None
    link: Short | None = None


class HangingStage(_Part):
    """Panes row by row, from the top left."""

    name: Name
    rows: int = Field(ge=1, le=4)
    columns: int = Field(ge=1, le=4)
    panes: tuple[HangingPane, ...] = Field(max_length=16)

    @check_model(mode="after")
    def _one_pane_for_each_place(self) -> Self:
        places = self.rows * self.columns
        if len(self.panes) != places:
            raise ValueError(f"should hold one pane for each of its {places} places")
        return self


class PriorCount(_Part):
    """How many earlier studies there must be, and may be."""

    least: int = Field(default=0, ge=0, le=8)
    most: int | None = Field(default=None, ge=0, le=99)

    @check_model(mode="after")
    def _in_order(self) -> Self:
        if self.most is not None and self.most < self.least:
            raise ValueError("the most should not be below the least")
        return self


class HangingMatch(_Part):
    """Which studies; what is empty or null does not matter, and a word counts as much as a body part."""

    modalities: Modalities = ()
    body_parts: Annotated[tuple[BodyPart, ...], Field(max_length=16)] = ()
    laterality: Laterality | None = None
    words: Words = ()
    priors: PriorCount = PriorCount()


def _one_at_least(stages: tuple[HangingStage, ...]) -> tuple[HangingStage, ...]:
    # Not as a least length: that would be found too short again when a stage is refused.
    if not stages:
        raise ValueError("should hold one stage at least")
    return stages


class HangingProtocol(_Part):
    """A hanging protocol: for which studies, and the stages that a reader steps through."""

    id: ProtocolId
    name: Name
    description: Annotated[str, StringConstraints(max_length=400, pattern=PRINTABLE)] = ""
    match: HangingMatch
    stages: Annotated[tuple[HangingStage, ...], Field(max_length=12), AfterValidator(_one_at_least)]


class ProtocolFile(_Part):
    """Protocols as they travel: what is exported, imported and built in."""

    version: Literal[1]
    protocols: tuple[HangingProtocol, ...] = Field(max_length=MOST_KEPT)


@dataclass(frozen=True, slots=True)
class Owned:
    """A protocol and whose it is."""

    owner: Owner
    protocol: HangingProtocol


@cache
def built_in() -> tuple[HangingProtocol, ...]:
    """Return the protocols that come with the product, in the order of their file."""
    return parse_file((files("sightline.care.hanging") / "builtin.json").read_bytes())


def parse_file(data: bytes) -> tuple[HangingProtocol, ...]:
    """Return the protocols of a file.

    Raises
    ------
    NotAHangingProtocol
        If it is too large, no JSON or no such file; the message names the path of each fault.

    Examples
    --------
    >>> parse_file(b'{"version": 1, "protocols": []}')
    ()
    """
    if len(data) > MOST_FILE_BYTES:
        raise NotAHangingProtocol(f"A file of hanging protocols has at most {MOST_FILE_BYTES >> 20} MiB.")
    try:
        read = ProtocolFile.model_validate_json(data)
    except ValidationError as cause:
        raise NotAHangingProtocol(f"Not a file of hanging protocols: {faults_of(cause)}.") from cause
    return checked(read.protocols)


def render_file(protocols: tuple[HangingProtocol, ...]) -> bytes:
    """Return the file of these protocols, as `parse_file` reads it."""
    return ProtocolFile(version=VERSION, protocols=protocols).model_dump_json(indent=2).encode() + b"\n"


def checked(protocols: tuple[HangingProtocol, ...]) -> tuple[HangingProtocol, ...]:
    """Return the protocols if each has an id of its own and none is too large."""
    seen: set[str] = set()
    for protocol in protocols:
        if protocol.id in seen:
            raise NotAHangingProtocol(f"Two protocols have the id {protocol.id}; give each its own.")
        if len(protocol.model_dump_json()) > MOST_BYTES:
            raise NotAHangingProtocol(f"{protocol.id} is larger than {MOST_BYTES >> 10} KiB; shorten it.")
        seen.add(protocol.id)
    return protocols


def faults_of(error: ValidationError) -> str:
    """Return each fault as ``path: what is wrong``, without the values: they may hold anything.

    Of a name that we do not know the first 40 characters stand in the path.
    """
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(f"{_path(fault['loc'])}: {fault['msg']}" for fault in faults[:MOST_FAULTS])


def _path(loc: tuple[int | str, ...]) -> str:
    return ".".join(str(part)[:40] for part in loc if part not in TAGS) or "file"
