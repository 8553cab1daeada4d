"""What an examination shows, read from its codes and its free description: regions, focus, side, contrast.

Descriptions are written as each site likes, in several languages, so each fact is a list of beginnings of
words. Body part examined is neither unique nor exhaustive (PS3.3, CP-315), so both are read together.
"""

import re
import unicodedata
from functools import lru_cache

# Beginnings of words (patterns), in codes and descriptions, that tell the region an examination covers.
REGION_WORDS: dict[str, tuple[str, ...]] = {
    "head": (
        "head", "brain", "skull", "crani", "orbit", "sinus", "paranasal", "neuro(?!for)", "pituitar", "iac",
        "temporal bone", "crane", "encephal", "kopf", "schädel", "hirn", "gehirn", "face", "facial", "cereb",
        "stroke", "mandib",
    ),
    "neck": (
        "neck", "thyroid", "larynx", "parathyroid", "carotid", "hals", "salivary", "schilddrüse", "cuello",
    ),
    "chest": (
        "chest", "torax", "poumon", "thora(?!c?o?lum)", "lung", "pulmon", "cardiac", "heart", "mediastin",
        "coronar", "cxr",
        "rib", "herz", "hrct", "echo", r"[ct]ap\b",
    ),
    "abdomen": (
        "abd", "liver", "kidney", "pancrea", "hepat", "renal", "spleen", "biliar", "mrcp", "bowel", "colon",
        "oberbauch", "leber", "niere", "gallbladder", "adrenal", "urogra", "enterogra", "stomach", "kub",
        "bauch", "upper gi", "barium", r"[ct]ap\b",
    ),
    "pelvis": (
        "pelvi", "prostat", "uter", "bladder", "rectum", "ovar", "becken", "kub", "urogra", "scrot",
        "testic", "sacroil", r"[ct]ap\b",
    ),
    "breast": ("breast", "mammo", "tomosynthesis", "mamma"),
    "cervical-spine": ("cervical", "c ?spine", "hws"),
    "thoracic-spine": ("thoracic spine", "t ?spine", "bws", "thoracolumbar"),
    "lumbar-spine": ("lumbar", "lombaire", "l ?spine", "lws", "thoracolumbar", "lumbosac", "sacrum", "coccy"),
    "spine": ("spine", "scolio", "wirbels", "rachis", "columna"),
    "shoulder": ("shoulder", "clavic", "humerus", "scapul", "schulter", "acromio", "epaule", "hombro"),
    "elbow": ("elbow", "forearm", "radius", "ulna", "ellenbogen"),
    "hand": ("wrist", "hand", "finger", "thumb", "scaphoid", "carpal"),
    "hip": ("hip(?!po)", "femur", "femoral head", "hüft", "thigh", "hanche", "cadera"),
    "knee": ("knee", "patell", "tibia", "fibula", "knie", "lower leg", "genou", "rodilla"),
    "foot": (
        "ankle", "foot", "feet", "toe", "calcan", "heel", "metatars", "sprunggelenk", "fuß", "cheville",
        "tobillo",
    ),
    "extremity": ("extremity", "extremities", "arm", "leg", "bone age"),
    "body": (
        "wholebody", "whole body", "vertex to", "skull base to", "eyes to", "ganzkörper", "bone scan", "fdg",
    ),
}  # fmt: skip

# What within a region was looked at, where a description says so: the imaging focus of RSNA and LOINC.
FOCUS_WORDS: dict[str, tuple[str, ...]] = {
    "sinuses": ("sinus", "paranasal"), "orbits": ("orbit",), "pituitary": ("pituitar", "sella"),
    "temporal bone": ("temporal bone", "iac", "felsenbein"), "thyroid": ("thyroid", "schilddrüse"),
    "coronaries": ("coronar", "heart cath"), "pulmonary arteries": ("pulmonary angio", "pe protocol"),
    "heart": ("cardiac", "heart", "herz"), "lungs": ("lung", "hrct"), "liver": ("liver", "leber", "hepat"),
    "pancreas and bile ducts": ("mrcp", "pancrea", "biliar", "gallbladder"),
    "kidneys": ("kidney", "niere", "renal", "urogra"), "colon": ("colon",), "prostate": ("prostat",),
    "uterus and ovaries": ("uter", "ovar", "transvag"), "aorta": ("aort",),
}  # fmt: skip
# Also found within a word: the codes of PS3.16 Annex L join them (CHESTABDPELVIS, LSPINE).
WITHIN = frozenset({"neck", "chest", "abdomen", "pelvis", "spine", "cervical-spine", "lumbar-spine"})
_INSIDE = {
    "neck": "neck", "chest": "chest|thorax", "abdomen": "abdomen|abd(?=pel)|(?<=chest)abd",
    "pelvis": "pelvis", "spine": "spine", "cervical-spine": r"\bcspine", "lumbar-spine": r"\blspine",
}  # fmt: skip
SPINE = frozenset({"cervical-spine", "thoracic-spine", "lumbar-spine"})
LIMBS = frozenset({"shoulder", "elbow", "hand", "hip", "knee", "foot", "extremity"})
PAIRED = LIMBS | {"breast"}

# Regions whose images show part of the other: lung bases on an abdomen, the neck on a head.
NEIGHBOURS: frozenset[frozenset[str]] = frozenset(
    frozenset(pair)
    for pair in (
        ("head", "neck"), ("head", "cervical-spine"), ("neck", "cervical-spine"), ("neck", "chest"),
        ("chest", "abdomen"), ("chest", "breast"), ("chest", "thoracic-spine"), ("abdomen", "pelvis"),
        ("abdomen", "lumbar-spine"), ("pelvis", "lumbar-spine"), ("pelvis", "hip"), ("shoulder", "elbow"),
        ("chest", "shoulder"), ("cervical-spine", "thoracic-spine"), ("thoracic-spine", "lumbar-spine"),
        ("elbow", "hand"), ("hip", "knee"), ("knee", "foot"),
        *(("extremity", limb) for limb in sorted(LIMBS)),
        *(("spine", near) for near in ("chest", "abdomen", "neck", "pelvis")),
    )
    if pair[0] != pair[1]
)  # fmt: skip

_LEFT = r"\b(left|lt|links|li|gauche|sinistr\w*)\b"
_RIGHT = r"\b(right|rt|rechts|re|droite|dextr\w*)\b"
_BOTH = r"\b(bilateral|both|beidseit\w*|bds|bil)\b"
_WITHOUT = (
    r"without|w/o|\bwo\b|non[ -]?con|unenhanced|\bnativ|plain|no contrast|\bohne km\b|low[ -]?dose"
    r"|screening"
)
_WITH = (
    r"with|\bw/|\bw\b|\+ ?c\b|contrast|\biv\b|enhanced|angio|\bcta\b|\bmra\b|\bkm\b|arterial|portal"
    r"|urogra"
)


@lru_cache(maxsize=4096)
def _folded(text: str) -> str:
    """Return text without case and accents."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))


@lru_cache(maxsize=4096)
def regions_of(*texts: str) -> frozenset[str]:
    """Return the regions that codes or descriptions name.

    >>> sorted(regions_of("CT CHEST/ABDOMEN W CONTRAST"))
    ['abdomen', 'chest']
    >>> sorted(regions_of("MRT LWS nativ"))
    ['lumbar-spine']
    >>> sorted(regions_of("TC de tórax")), sorted(regions_of("IRM cérébrale"))
    (['chest'], ['head'])
    """
    words = " ".join(re.sub(r"[^a-z]+", " ", _folded(text)) for text in texts)
    found = {region for region in REGION_WORDS if _names(region, words)}
    if "body" in found:
        return frozenset({"body"})
    if found & SPINE:  # said more closely
        found.discard("spine")
    if found & SPINE and not re.search(r"\b(chest|thorax|lung)", words):
        found.discard("chest")  # "thoracic spine"
    if found & (LIMBS - {"extremity"}):
        found.discard("extremity")
    if "breast" in found and not re.search(r"\b(chest|thorax)", words):
        found.discard("chest")
    return frozenset(found)


def _names(region: str, words: str) -> bool:
    if any(re.search(rf"\b{_folded(name)}", words) for name in REGION_WORDS[region]):
        return True
    return region in WITHIN and re.search(_INSIDE[region], words) is not None


@lru_cache(maxsize=4096)
def focus_of(text: str) -> frozenset[str]:
    """Return the organs that a description names as what was looked at.

    >>> sorted(focus_of("CT PARANASAL SINUSES")), sorted(focus_of("CT head"))
    (['sinuses'], [])
    """
    words = re.sub(r"[^a-zäöüßé]+", " ", text.casefold())
    return frozenset(
        organ for organ, names in FOCUS_WORDS.items() if any(re.search(rf"\b{name}", words) for name in names)
    )


@lru_cache(maxsize=4096)
def side_of(text: str) -> str:
    """Return ``L``, ``R`` or ``B`` for the side a description names, else nothing.

    >>> side_of("KNEE LT 2 VIEWS"), side_of("Mammography bilateral"), side_of("CT chest")
    ('L', 'B', '')
    """
    words = re.sub(r"[^a-z]+", " ", text.casefold())
    left, right = (re.search(side, words) is not None for side in (_LEFT, _RIGHT))
    if re.search(_BOTH, words) or (left and right):
        return "B"
    if not (left or right):  # a letter alone at the end, as devices append it
        last = words.split()[-1:] or [""]
        left, right = last == ["l"], last == ["r"]
    return "L" if left else "R" if right else ""


@lru_cache(maxsize=4096)
def contrast_of(text: str) -> bool | None:
    """Return whether a description says that contrast was given; None where it says nothing.

    >>> contrast_of("CT ABD W CONTRAST"), contrast_of("CT HEAD W/O CONTRAST"), contrast_of("CT head")
    (True, False, None)
    """
    lower = text.casefold()
    if re.search(_WITHOUT, lower):
        return bool(re.search(r"w/?o?( &| and|/) ?w\b|without and with|with and without", lower)) or False
    return True if re.search(_WITH, lower) else None


# Reasons of orders that many words mean, as beginnings of words in several languages.
REASON_WORDS: dict[str, tuple[str, ...]] = {
    "cancer": (
        "cancer", "carcino", "karzino", "tumor", "tumour", "malign", "neoplas", "metast", "staging",
        "oncolog", "melanom", "sarcom", "lymphom",
    ),
    "nodule": ("nodul", "rundherd", "knoten"), "lymphoma": ("lymphom", "hodgkin"),
    "metastases": ("metast", "filia"), "trauma": ("trauma", "fall", "accident", "unfall", "sturz"),
    "fracture": ("fractur", "fraktur", "broken"), "stroke": ("stroke", "ischem", "ischäm", "schlaganfall"),
    "haemorrhage": ("hemorrh", "haemorrh", "bleed", "blutung"),
    "infection": ("infect", "infekt", "absces", "abszes"),
    "pneumonia": ("pneumon",), "embolism": ("embol", "thrombo"), "aneurysm": ("aneurysm", "endoleak", "evar"),
    "stone": ("stone", "calcul", "lithias", "stein", "colic", "kolik"),
    "pancreatitis": ("pancreatit", "pankreatit"),
    "multiple sclerosis": ("multiple scl", "encephalomyelitis"), "arthritis": ("arthr",),
}  # fmt: skip
# Words that stand in any order and tell no reason.
_SAYS_NOTHING = frozenset(
    """with without for and the from after before left right both new rule out suspected known follow followup
    control kontrolle verlauf please query question history state status post pre under routine screening
    evaluation assess assessment exclude possible acute chronic patient year years week weeks month months
    cycles therapy treatment surgery verdacht ausschluss bitte zustand nach vor links rechts mit ohne suivi
    apres avant con sin""".split()
)
_CODE = r"\b([a-tv-z]\d\d)(?:\.\d{1,4})?\b"  # ICD-10: its category


@lru_cache(maxsize=4096)
def reasons_of(text: str) -> frozenset[str]:
    """Return what the reason of an order is about: known reasons, codes of ICD-10, words that tell.

    >>> sorted(reasons_of("Follow-up of pulmonary nodules (R91.1)"))
    ['nodule', 'pulmon', 'r91']
    """
    lower = text.casefold()
    codes = set(re.findall(_CODE, lower))
    words = re.sub(r"[^a-zäöüßéèàáíóúñç]+", " ", lower)
    known = {what for what, names in REASON_WORDS.items() if any(re.search(rf"\b{n}", words) for n in names)}
    named = [name for names in REASON_WORDS.values() for name in names]
    said = {
        word[:6]
        for word in words.split()
        if len(word) > 3 and word not in _SAYS_NOTHING and not any(word.startswith(n) for n in named)
    }
    return frozenset(codes | known | said)


@lru_cache(maxsize=4096)
def words_of(text: str) -> frozenset[str]:
    """Return the words of a description, by which the same kind of examination is known again."""
    return frozenset(w for w in re.sub(r"[^a-z0-9äöüß]+", " ", text.casefold()).split() if len(w) > 1)
