"""Checkpoints of the trail as signed notes, so that any Ed25519 tool can check them far from this machine.

Sources: C2SP signed-note (text, signature line, key hash, verifier key) and C2SP tlog-checkpoint (origin,
size, root); RFC 8032 Ed25519.
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519 = b"\x01"
_NOTE = re.compile(r"((?:[^\n—][^\n]*\n)+)\n((?:— [^\n]+\n)+)")
_SIGNATURE = re.compile(r"— (\S+) (\S+)\n")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The tree as it was at one moment: how many entries, and their root."""

    origin: str
    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key and the name it signs under."""

    name: str
    public: Ed25519PublicKey

    @property
    def hash(self) -> bytes:
        """The four bytes that a signature line names this key with."""
        return hashlib.sha256(self.name.encode() + b"\n" + ED25519 + self.public.public_bytes_raw()).digest()[
            :4
        ]

    def __str__(self) -> str:
        encoded = base64.b64encode(ED25519 + self.public.public_bytes_raw()).decode()
        return f"{self.name}+{self.hash.hex()}+{encoded}"


def verifier_key(key: Ed25519PrivateKey) -> VerifierKey:
    """Return the public half of `key` under a name made from it, so that no two logs share one."""
    public = key.public_key()
    return VerifierKey(f"sightline-audit-{hashlib.sha256(public.public_bytes_raw()).hexdigest()[:8]}", public)


def parse_verifier_key(text: str) -> VerifierKey | None:
    """Read ``name+hash+key``; None when it is not one."""
    name, _, rest = text.strip().partition("+")
    hashed, _, encoded = rest.partition("+")
    raw = _decode(encoded)
    if not name or raw is None or len(raw) != 33 or raw[:1] != ED25519:
        return None
    key = VerifierKey(name, Ed25519PublicKey.from_public_bytes(raw[1:]))
    return key if key.hash.hex() == hashed else None


def sign_checkpoint(key: Ed25519PrivateKey, size: int, root: bytes) -> str:
    """Return the signed note for a tree of `size` entries with `root`."""
    name = verifier_key(key)
    text = f"{name.name}\n{size}\n{base64.b64encode(root).decode()}\n"
    signature = base64.b64encode(name.hash + key.sign(text.encode())).decode()
    return f"{text}\n— {name.name} {signature}\n"


def names_key(note: str, key: VerifierKey) -> bool:
    """Say whether `note` claims to be signed by `key`, rightly or not."""
    return f"\n— {key.name} " in note


def open_checkpoint(note: str, key: VerifierKey) -> Checkpoint | None:
    """Return what `note` says if `key` signed it; None if it did not or the note is no checkpoint."""
    matched = _NOTE.fullmatch(note)
    if matched is None or not _signed_by(key, *matched.groups()):
        return None
    lines: list[str] = matched.group(1).splitlines()
    origin, size, encoded, *_ = [*lines, "", "", ""]
    root = _decode(encoded)
    if origin != key.name or not re.fullmatch(r"0|[1-9][0-9]{0,18}", size) or root is None or len(root) != 32:
        return None
    return Checkpoint(origin, int(size), root)


def split_notes(text: str) -> tuple[list[str], bool]:
    """Return the notes in a file of notes, and whether anything else stands before the last of them.

    What follows the last note can be one that a power cut tore; it proves nothing and is no harm.
    """
    found = list(_NOTE.finditer(text))
    before = text[: found[-1].end()] if found else ""
    return [matched.group(0) for matched in found], bool(_NOTE.sub("", before).strip())


def _signed_by(key: VerifierKey, text: str, signatures: str) -> bool:
    for name, encoded in _SIGNATURE.findall(signatures):
        raw = _decode(encoded)
        if name != key.name or raw is None or raw[:4] != key.hash:
            continue
        try:
            key.public.verify(raw[4:], text.encode())
        except InvalidSignature:
            return False
        return True
    return False


def _decode(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
