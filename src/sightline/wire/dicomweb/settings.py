"""Settings of DICOMweb."""

from typing import Annotated

from pydantic import Field

from sightline.runtime.settings import DomainSettings, prefixed


class DicomWebSettings(DomainSettings):
    """Who may call from a browser, and how much is given at once (SIGHTLINE_DICOMWEB_*)."""

    model_config = prefixed("dicomweb")

    allowed_origins: Annotated[
        str,
        Field(
            pattern=r"^(\*|(https?://[^\s/]+(\s+|$))*)$",
            description="Origins of other web applications that may call /dicom-web with a token, separated "
            "by blanks, or * for any; empty allows none.",
        ),
    ] = ""
    max_results: Annotated[
        int, Field(gt=0, le=100_000, description="Most matches that one answer to a search holds.")
    ] = 1000
    max_rendered_mpx: Annotated[
        int, Field(gt=0, description="Largest picture that is rendered, in millions of pixels.")
    ] = 256

    def allows(self, origin: str) -> bool:
        """Say whether scripts of `origin` may call.

        >>> DicomWebSettings(allowed_origins="https://viewer.example").allows("https://viewer.example")
        True
        """
        allowed = self.allowed_origins.split()
        return bool(origin) and ("*" in allowed or origin in allowed)
