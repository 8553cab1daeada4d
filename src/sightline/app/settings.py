"""All settings of the house, composed once; an unknown name under our prefix stops the start."""

import difflib
import os
from dataclasses import dataclass, field

from pydantic import ValidationError

from sightline.care.display.settings import DisplaySettings
from sightline.kernel.errors import Invalid
from sightline.record.archive.settings import ArchiveSettings
from sightline.record.upkeep.settings import UpkeepSettings
from sightline.runtime.settings import PREFIX, DomainSettings, ServerSettings
from sightline.trust.identity.settings import IdentitySettings
from sightline.wire.dicomweb.settings import DicomWebSettings
from sightline.wire.dimse.settings import DimseSettings
from sightline.wire.media.settings import MediaSettings
from sightline.wire.priors.settings import PriorSettings
from sightline.wire.transfers.settings import TransferSettings

CLASSES: tuple[type[DomainSettings], ...] = (
    ServerSettings,
    ArchiveSettings,
    DicomWebSettings,
    DimseSettings,
    DisplaySettings,
    IdentitySettings,
    MediaSettings,
    PriorSettings,
    TransferSettings,
    UpkeepSettings,
)

# Named in the environment of tests and of the demonstration; no setting of the product.
RESERVED = frozenset({f"{PREFIX}TEST_DATA"})


class UnknownSetting(Invalid):
    """An environment variable under our prefix names no setting; correct or remove it."""


class BadSetting(Invalid):
    """A setting has a value that it cannot have; correct it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Every domain's settings, frozen."""

    server: ServerSettings = field(default_factory=ServerSettings)
    archive: ArchiveSettings = field(default_factory=ArchiveSettings)
    dicomweb: DicomWebSettings = field(default_factory=DicomWebSettings)
    dimse: DimseSettings = field(default_factory=DimseSettings)
    display: DisplaySettings = field(default_factory=DisplaySettings)
    identity: IdentitySettings = field(default_factory=IdentitySettings)
    media: MediaSettings = field(default_factory=MediaSettings)
    priors: PriorSettings = field(default_factory=PriorSettings)
    transfers: TransferSettings = field(default_factory=TransferSettings)
    upkeep: UpkeepSettings = field(default_factory=UpkeepSettings)


def load_settings() -> Settings:
    """Read the settings, refusing names that nobody reads and values that cannot be.

    Raises
    ------
    UnknownSetting
        Names the variable and the nearest that exists.
    BadSetting
        Names the variable and what is wrong with it, never the value (it may be a secret).
    """
    known = {name for settings in CLASSES for name in settings.names()} | RESERVED
    for name in sorted(os.environ):
        if name.startswith(PREFIX) and name not in known:
            endings = [other.removeprefix(PREFIX) for other in known]
            near = difflib.get_close_matches(name.removeprefix(PREFIX), endings, 1)
            hint = f"did you mean {PREFIX}{near[0]}?" if near else "see the settings reference."
            raise UnknownSetting(f"{name} is not a setting; {hint}")
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        raise BadSetting(f"{_variable(error.title, first['loc'])}: {first['msg']}.") from None


def _variable(settings: str, field: tuple[int | str, ...]) -> str:
    """Return the environment variable of a field of the settings class called `settings`."""
    prefix = next(c.model_config.get("env_prefix", PREFIX) for c in CLASSES if c.__name__ == settings)
    return f"{prefix}{field[0]}".upper()
