"""Text as people type it, made fit to be kept."""


def one_line(text: str) -> str:
    r"""Return the text on one line, without the control characters that no database or DICOM text may hold.

    >>> one_line("  right\x00 lung,\n nodule ")
    'right lung, nodule'
    """
    return " ".join("".join(c for c in text if c.isprintable() or c.isspace()).split())
