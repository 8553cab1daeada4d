"""Settings of the archive."""

from typing import Annotated

from pydantic import Field

from sightline.runtime.settings import DomainSettings, prefixed


class ArchiveSettings(DomainSettings):
    """How much is taken in at once and when a study counts as complete (SIGHTLINE_ARCHIVE_*)."""

    model_config = prefixed("archive")

    settle_s: Annotated[
        int, Field(gt=0, description="Quiet time after which a study counts as complete, in s.")
    ] = 60
    max_instance_mib: Annotated[int, Field(gt=0, description="Largest single instance accepted, in MiB.")] = (
        16384
    )
    max_header_mib: Annotated[
        int, Field(gt=0, description="Largest header (all but pixels and long values) accepted, in MiB.")
    ] = 64
