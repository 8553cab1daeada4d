"""Settings of what is computed for showing images."""

from typing import Annotated

from pydantic import Field

from sightline.runtime.settings import DomainSettings, prefixed


class DisplaySettings(DomainSettings):
    """How much memory planes, surfaces and overlays may take (SIGHTLINE_DISPLAY_*)."""

    model_config = prefixed("display")

    kept_mib: Annotated[
        int, Field(ge=0, description="Volumes kept in memory for the next plane, in MiB; 0 keeps none.")
    ] = 1024
    max_volume_mib: Annotated[
        int,
        Field(
            gt=0,
            description="Largest volume that is put together on the server, in MiB of four bytes a voxel; "
            "it takes up to three times as much for a moment.",
        ),
    ] = 2048
