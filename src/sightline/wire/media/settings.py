"""Settings of media."""

from typing import Annotated

from pydantic import Field

from sightline.runtime.settings import DomainSettings, prefixed


class MediaSettings(DomainSettings):
    """How much a ZIP may unpack to and an upload may bring (SIGHTLINE_MEDIA_*)."""

    model_config = prefixed("media")

    max_unpacked_gib: Annotated[
        float, Field(gt=0, description="Most that one ZIP may unpack to, in GiB.")
    ] = 100
    max_entries: Annotated[int, Field(gt=0, description="Most files that one ZIP may hold.")] = 500_000
    max_ratio: Annotated[
        int,
        Field(gt=0, description="Most by which a file above 64 MiB in a ZIP may be compressed, as a factor."),
    ] = 200
    max_upload_gib: Annotated[
        float, Field(gt=0, description="Largest file that is taken by upload in the browser, in GiB.")
    ] = 100
    upload_days: Annotated[
        float, Field(gt=0, description="Days after which an upload that nobody goes on with is dropped.")
    ] = 7
