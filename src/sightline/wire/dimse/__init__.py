"""DICOM over its own protocol: scanners and other archives verify (C-ECHO) and store (C-STORE) here.

Invariants: success is said only when the bytes are durable; the dataset is kept as it came over the wire;
from beyond this machine an unknown AE title may only echo, unless the operator opened the port.
"""

from sightline.wire.dimse._listener import DicomPortTaken, Listener

__all__ = ["DicomPortTaken", "Listener"]
