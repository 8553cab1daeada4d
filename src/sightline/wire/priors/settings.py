"""Settings of priors."""

from typing import Annotated

from pydantic import Field

from sightline.runtime.settings import DomainSettings, prefixed


class PriorSettings(DomainSettings):
    """When sources are asked for earlier studies, and how many are fetched (SIGHTLINE_PRIORS_*)."""

    model_config = prefixed("priors")

    on_order: Annotated[bool, Field(description="Ask when an order is entered.")] = True
    on_arrival: Annotated[bool, Field(description="Ask when a study has arrived.")] = True
    recent_days: Annotated[
        int,
        Field(gt=0, description="Age up to which the arrival of a study has sources asked, in days."),
    ] = 30
    on_opening: Annotated[bool, Field(description="Ask when a study is opened.")] = True
    most: Annotated[
        int,
        Field(ge=0, le=50, description="Earlier studies fetched for one study; 0 only lists."),
    ] = 3
    again_s: Annotated[
        float, Field(gt=0, description="How long the answer of a source is good for, in s.")
    ] = 3600
    per_minute: Annotated[
        float, Field(gt=0, le=600, description="Questions that one source is asked in a minute.")
    ] = 30
    attempts: Annotated[
        int, Field(gt=0, le=20, description="How often a source that does not answer is asked.")
    ] = 4
    retry_s: Annotated[
        float, Field(gt=0, description="Wait before it is asked the second time, in s; doubled each time.")
    ] = 30
