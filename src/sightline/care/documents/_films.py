"""What a film is packed in and coded by: from its transfer syntax and its first bytes.

Sources: PS3.5 8.2.5 to 8.2.9 (what may be inside), ISO/IEC 14496-12 (`ftyp`), ISO/IEC 13818-1 (0x47, 0x1BA).
"""

MPEG2, H264, HEVC = "MPEG-2", "H.264 (MPEG-4 AVC)", "H.265 (HEVC)"
_PREFIX = "1.2.840.10008.1.2.4."
# PS3.6 table A-1.
CODECS = {
    **{_PREFIX + n: MPEG2 for n in ("100", "100.1", "101", "101.1")},
    **{_PREFIX + n: H264 for n in ("102", "103", "104", "105", "106")},
    **{f"{_PREFIX}{n}.1": H264 for n in ("102", "103", "104", "105", "106")},
    **{_PREFIX + n: HEVC for n in ("107", "108")},
}  # fmt: skip
# What a browser is asked whether it plays (RFC 6381): the least that a stream of the profile needs.
RFC_6381 = {MPEG2: "", H264: "avc1.640028", HEVC: "hvc1.1.6.L123.B0"}
HEAD = 400


def container_of(head: bytes, codec: str) -> tuple[str, str]:
    """Return what a film that begins with `head` is packed in, in words, and its media type.

    >>> container_of(b"\\0\\0\\0\\x18ftypisom", H264)
    ('MP4', 'video/mp4')
    """
    if head[4:8] in {b"ftyp", b"moov", b"mdat", b"free", b"wide"}:
        return "MP4", "video/mp4"
    if head[:1] == b"\x47" and head[188:189] in {b"\x47", b""}:
        return "MPEG transport stream", "video/mp2t"
    if head.startswith(b"\0\0\1\xba"):
        return "MPEG program stream", "video/mpeg"
    if head.startswith(b"\0\0\1\xb3"):
        return "bare MPEG stream", "video/mpeg"
    if head.startswith((b"\0\0\1", b"\0\0\0\1")):
        return "bare stream", "video/h265" if codec == HEVC else "video/h264"
    return "unknown container", "application/octet-stream"
