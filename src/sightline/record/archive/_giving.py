"""Giving an object out: as it is held, or uncompressed for who takes nothing else (decoded in memory)."""

import warnings
from io import BytesIO

from pydicom import dcmread
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from sightline.record.archive import _store as store_
from sightline.record.archive._model import FrameNotDecodable, InstanceNotHeld, Store
from sightline.record.archive._overlay import Opened, open_place, opened_bytes
from sightline.runtime.db import Db

GIVEN = frozenset({ImplicitVRLittleEndian, ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian})
_SEPARATE = frozenset({ExplicitVRBigEndian, *GIVEN})


def open_instance(store: Store, db: Db, sop_uid: str, *, transfer_syntax: str | None = None) -> Opened:
    """Return an instance to give out: as it came, or with what was corrected in its header.

    Parameters
    ----------
    transfer_syntax : str, optional
        What the receiver takes; none, or what it is held in, changes nothing.

    Raises
    ------
    InstanceNotHeld
        If there is none, or it was rejected.
    FrameNotDecodable
        If it cannot be given in `transfer_syntax`.
    """
    found = store_.place_of(db, sop_uid)
    if found is None:
        raise InstanceNotHeld(f"No instance {sop_uid} is held.", instance=sop_uid)
    opened = open_place(store, found)
    if transfer_syntax in {None, found.transfer_syntax}:
        return opened
    return transcoded(opened, str(transfer_syntax))


def transcoded(opened: Opened, transfer_syntax: str) -> Opened:
    """Return an instance in another transfer syntax.

    Raises
    ------
    FrameNotDecodable
        If nothing here gives that syntax, or nothing reads the pixels.
    """
    wanted = UID(transfer_syntax)
    if wanted not in GIVEN:
        raise FrameNotDecodable(
            f"Objects are given in the transfer syntax they are held in or uncompressed, not in {wanted}."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ds = dcmread(BytesIO(opened.read()))
            if ds.file_meta.TransferSyntaxUID not in _SEPARATE:
                ds.decompress(generate_instance_uid=False)
            ds.file_meta.TransferSyntaxUID = wanted
            buffer = BytesIO()
            ds.save_as(buffer, implicit_vr=wanted.is_implicit_VR, little_endian=True, overwrite=True)
    except Exception as error:  # each decoder raises what it likes
        raise FrameNotDecodable(
            f"This object cannot be given in {wanted} ({opened.transfer_syntax}); fetch it as it is stored."
        ) from error
    return opened_bytes(opened, buffer.getvalue(), str(wanted))
