"""Settings of transfers."""

from typing import Annotated

from pydantic import Field

from sightline.runtime.settings import DomainSettings, prefixed


class TransferSettings(DomainSettings):
    """How studies are sent on and taken over, and the folder that is watched (SIGHTLINE_TRANSFERS_*)."""

    model_config = prefixed("transfers")

    at_once: Annotated[int, Field(gt=0, le=16, description="Transfers that run at the same time.")] = 2
    attempts: Annotated[
        int, Field(gt=0, le=100, description="How often a transfer is tried before it counts as failed.")
    ] = 8
    retry_s: Annotated[
        float,
        Field(gt=0, description="Wait before the second attempt, in s; doubled each time, up to an hour."),
    ] = 30
    timeout_s: Annotated[
        float, Field(gt=0, description="How long a DICOMweb server may stay silent, in s.")
    ] = 60
    hot_folder: Annotated[
        str | None,
        Field(
            description="Folder whose files are taken in and moved to done/ or refused/; none leaves it off."
        ),
    ] = None
    hot_quiet_s: Annotated[
        float, Field(gt=0, description="How long a file must stay unchanged before it is taken in, in s.")
    ] = 5
