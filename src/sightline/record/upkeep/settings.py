"""Settings of upkeep."""

from typing import Annotated

from pydantic import Field

from sightline.runtime.settings import DomainSettings, prefixed


class UpkeepSettings(DomainSettings):
    """How what is stored is looked after over the years (SIGHTLINE_UPKEEP_*)."""

    model_config = prefixed("upkeep")

    scrub_days: Annotated[
        int | None,
        Field(gt=0, description="Days after which every object is checked again; none leaves it off."),
    ] = 30
    scrub_mib_per_s: Annotated[
        float, Field(gt=0, description="How fast bytes are read by upkeep at most, in MiB/s.")
    ] = 50
    cold_url: Annotated[
        str | None,
        Field(description="Object store or folder for a second copy of every object; none keeps one copy."),
    ] = None
    transcode_modalities: Annotated[
        str,
        Field(
            description="Modalities, with commas between, whose uncompressed images get a lossless HTJ2K "
            "copy to be served from, beside the original; empty makes none."
        ),
    ] = ""

    @property
    def transcoded(self) -> frozenset[str]:
        """The modalities as a set."""
        return frozenset(
            part.strip().upper() for part in self.transcode_modalities.split(",") if part.strip()
        )
