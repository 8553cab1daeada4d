"""Settings of the archive."""

from typing import Annotated

from pydantic import Field

from sightline.runtime.settings import DomainSettings, prefixed


class ArchiveSettings(DomainSettings):
    """How much is taken in and kept, and when a study counts as complete (SIGHTLINE_ARCHIVE_*)."""

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
    trash_days: Annotated[
        int, Field(ge=0, description="Days that what was put in the trash can be put back; then it is gone.")
    ] = 30
    quota_gib: Annotated[
        float | None,
        Field(gt=0, description="Most that is kept, trash included, in GiB; none leaves it to the disk."),
    ] = None
    search_study: Annotated[
        str, Field(description="Further attributes of studies to search by: keywords or tags, by commas.")
    ] = ""
    search_series: Annotated[
        str, Field(description="Further attributes of series to search by: keywords or tags, by commas.")
    ] = ""
    search_instance: Annotated[
        str, Field(description="Further attributes of instances to search by: keywords or tags, by commas.")
    ] = ""
