"""Person names as DICOM writes them (PN, PS3.5 6.2.1), made readable."""


def display_name(person_name: str) -> str:
    """Return ``FAMILY, Given`` and, where there is one, the ideographic form.

    >>> display_name("YAMADA^Tarou=山田^太郎")
    'YAMADA, Tarou 山田 太郎'
    >>> display_name("")
    'no name'
    """
    groups = person_name.split("=")
    family, _, rest = groups[0].partition("^")
    given = " ".join(rest.split("^")[:2]).strip()
    ideographic = " ".join(groups[1].split("^")).strip() if len(groups) > 1 else ""
    alphabetic = ", ".join(part for part in (family.strip(), given) if part)
    return " ".join(part for part in (alphabetic, ideographic) if part) or "no name"
