"""Settings of the DICOM ports."""

from typing import Annotated

from pydantic import Field

from sightline.runtime.settings import DomainSettings, prefixed


class DimseSettings(DomainSettings):
    """How many associations are served, for how long, and with which certificates (SIGHTLINE_DIMSE_*)."""

    model_config = prefixed("dimse")

    max_associations: Annotated[
        int, Field(gt=0, description="Associations served at once; more are told to come back.")
    ] = 128
    max_pdu: Annotated[
        int, Field(ge=16384, le=16 << 20, description="Largest PDU that senders are asked for, in bytes.")
    ] = 1 << 20
    acse_timeout_s: Annotated[
        int, Field(gt=0, description="Time for an association to be asked for and answered, in s.")
    ] = 30
    dimse_timeout_s: Annotated[
        int, Field(gt=0, description="Time in which a message that has begun must make headway, in s.")
    ] = 60
    network_timeout_s: Annotated[
        int, Field(gt=0, description="Quiet time after which an open association is ended, in s.")
    ] = 300
    private_classes: Annotated[
        bool, Field(description="Accept SOP classes and transfer syntaxes that are not the standard's.")
    ] = False
    notify: Annotated[
        str,
        Field(description="AE titles of the peers told of each complete study (IAN), with commas between."),
    ] = ""
    tls_port: Annotated[int, Field(ge=0, le=65535, description="Port for DICOM over TLS.")] = 2762
    tls_certificate: Annotated[
        str | None,
        Field(description="Certificate chain of this server (PEM); none leaves the TLS port closed."),
    ] = None
    tls_key: Annotated[
        str | None,
        Field(description="Private key of the certificate (PEM); none means that it is in the same file."),
    ] = None
    tls_ca: Annotated[
        str | None,
        Field(description="Certificates (PEM) that those of peers must come from; none trusts the system's."),
    ] = None
    tls_require_certificate: Annotated[
        bool, Field(description="Refuse peers that show no certificate of their own.")
    ] = False
