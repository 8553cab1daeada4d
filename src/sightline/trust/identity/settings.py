"""Settings of identity (SIGHTLINE_IDENTITY_*)."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from sightline.runtime.settings import DomainSettings, prefixed
from sightline.trust.identity._model import Rules


class IdentitySettings(DomainSettings):
    """How long people stay logged in and how many wrong passwords are borne (SIGHTLINE_IDENTITY_*)."""

    model_config = prefixed("identity")

    session_idle_min: Annotated[
        int, Field(gt=0, description="A session ends when nobody has used it for so long, in min.")
    ] = 60
    session_max_h: Annotated[
        int, Field(gt=0, description="A session ends so long after its login, however it is used, in h.")
    ] = 12
    login_attempts: Annotated[
        int, Field(gt=0, description="Logins tried with one name from one address before it has to wait.")
    ] = 10
    login_window_min: Annotated[int, Field(gt=0, description="Time in which they are counted, in min.")] = 5
    setup_link_h: Annotated[int, Field(gt=0, description="How long a one-time set-up link works, in h.")] = 72

    def rules(self) -> Rules:
        """Return the rules that these settings give."""
        return Rules(
            session_idle=timedelta(minutes=self.session_idle_min),
            session_max=timedelta(hours=self.session_max_h),
            attempts=self.login_attempts,
            attempts_window=timedelta(minutes=self.login_window_min),
            setup_link_life=timedelta(hours=self.setup_link_h),
        )
