"""All settings of the house, composed once; an unknown name under our prefix stops the start."""

import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import ValidationError

from sightline.kernel.errors import Invalid
from sightline.record.archive.settings import ArchiveSettings
from sightline.runtime.settings import PREFIX, DomainSettings, ServerSettings
from sightline.trust.identity.settings import IdentitySettings
from sightline.wire.media.settings import MediaSettings

CLASSES: tuple[type[DomainSettings], ...] = (ServerSettings, ArchiveSettings, IdentitySettings, MediaSettings)

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
    identity: IdentitySettings = field(default_factory=IdentitySettings)
    media: MediaSettings = field(default_factory=MediaSettings)


def load_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings, refusing names that nobody reads and values that cannot be.

    Raises
    ------
    UnknownSetting
        Names the variable and the nearest that exists.
    BadSetting
        Names the variable and what is wrong with it, never the value (it may be a secret).
    """
    known = {name for settings in CLASSES for name in settings.names()} | RESERVED
    for name in sorted(environment):
        if name.startswith(PREFIX) and name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}?" if near else "see the settings reference."
            raise UnknownSetting(f"{name} is not a setting; {hint}")
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadSetting(f"Setting {where} ({error.title}): {first['msg']}.") from None
