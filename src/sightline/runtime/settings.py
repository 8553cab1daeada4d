"""Settings: one frozen class per domain, read once at the start from `SIGHTLINE_*`, never changed after."""

from typing import Annotated, ClassVar

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "SIGHTLINE_"


def prefixed(domain: str = "") -> SettingsConfigDict:
    """Return the configuration of a settings class whose variables begin with ``SIGHTLINE_<DOMAIN>_``."""
    prefix = f"{PREFIX}{domain.upper()}_" if domain else PREFIX
    return SettingsConfigDict(env_prefix=prefix, frozen=True, extra="ignore", env_ignore_empty=True)


class DomainSettings(BaseSettings):
    """The base of every domain's settings: frozen, from the environment, secrets do not print."""

    model_config: ClassVar[SettingsConfigDict] = prefixed()

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the environment variables that this class reads."""
        prefix = cls.model_config.get("env_prefix", PREFIX)
        return tuple(f"{prefix}{name}".upper() for name in cls.model_fields)


class ServerSettings(DomainSettings):
    """Where the installation lives and where it listens (SIGHTLINE_*)."""

    model_config = prefixed()

    data: Annotated[str, Field(description="Folder of the installation.")] = "./sightline-data"
    host: Annotated[
        str, Field(description="Address that HTTP and DICOM listen on; beyond loopback, add TLS in front.")
    ] = "127.0.0.1"
    http_port: Annotated[int, Field(ge=0, le=65535, description="Port for the web app and APIs.")] = 8600
    dicom_port: Annotated[int, Field(ge=0, le=65535, description="Port for DICOM associations.")] = 11112
    hl7_port: Annotated[
        int, Field(ge=0, le=65535, description="Kept for HL7 (MLLP); nothing listens there yet.")
    ] = 2575
    dicom_open: Annotated[
        bool, Field(description="Let unknown AE titles from beyond loopback store as well as echo.")
    ] = False
    ae_title: Annotated[str, Field(max_length=16, description="AE title of this archive.")] = "SIGHTLINE"
    database_url: Annotated[
        str | None,
        Field(description="SQLAlchemy address of the database; none means SQLite in the data folder."),
    ] = None
    blobs_url: Annotated[
        str | None,
        Field(
            description="Object store (s3://, gs://, az://) or folder for images; none means the data folder."
        ),
    ] = None
    admin_password: Annotated[
        SecretStr | None,
        Field(description="Password of the first administrator at first start; none prints a one-time link."),
    ] = None
    log_format: Annotated[str, Field(pattern="^(text|json)$", description="Log lines as text or json.")] = (
        "text"
    )
    public_url: Annotated[
        str | None, Field(description="Address that users reach the server at; none means host and port.")
    ] = None
