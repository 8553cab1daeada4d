"""The tables that searching stands on, and the triggers that keep them in step with what is held.

A *term* is a normalised text of a study (a group of a name, a description) with the study's date, so that a
page of the newest matches is read from one index. Names inside names, and names with typos, are found by
their words: a word is reached by each three letters in a row, and by its beginnings with a letter left out.
No text engine is needed, so that both databases do the same without any extension.

The tables of words have no unique key on purpose: on PostgreSQL two writers that meet a new name at the same
moment would wait for each other. A word that stands there twice is found once.
"""

from sqlalchemy import (
    Boolean,
    Column,
    Index,
    Integer,
    String,
    Table,
    Text,
    and_,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
)

from sightline.record.archive._store.tables import Searched, Uid
from sightline.runtime.db import Db, metadata

Tag = Text().with_variant(Text(collation="C"), "postgresql")

study_terms = Table(
    "study_terms",
    metadata,
    Column("tag", Tag, primary_key=True),
    Column("norm", Searched, primary_key=True),
    Column("date", String(8), primary_key=True),
    Column("study", Uid, primary_key=True),
    sqlite_with_rowid=False,
)
Index(
    "ix_study_terms_newest",
    study_terms.c.tag,
    study_terms.c.date.desc(),
    study_terms.c.study.desc(),
    study_terms.c.norm,
)

patient_names = Table(
    "patient_names",
    metadata,
    Column("norm", Searched, primary_key=True),
    Column("patient", String(32), primary_key=True),
    Index("ix_patient_names_patient", "patient", "norm"),
    sqlite_with_rowid=False,
)

# Which terms hold a word.
term_words = Table(
    "term_words",
    metadata,
    Column("tag", Tag, nullable=False),
    Column("word", Searched, nullable=False),
    Column("norm", Searched, nullable=False),
    Index("ix_term_words_term", "tag", "norm", "word"),
    Index("ix_term_words_word", "tag", "word", "norm"),
)

# Which words hold a part: three letters in a row, or (after a tilde) a beginning without one of its letters.
word_parts = Table(
    "word_parts",
    metadata,
    Column("part", Searched, nullable=False),
    Column("word", Searched, nullable=False),
    Index("ix_word_parts_part", "part", "word"),
)

words = Table("words", metadata, Column("word", Searched, nullable=False), Index("ix_words_word", "word"))

# How many studies a day has, of each modality and (under none) in all: what is counted often is a short sum.
# On PostgreSQL each study adds a row, which waits for no other writer; `compact_counts` adds them up.
study_counts = Table(
    "study_counts",
    metadata,
    Column("modality", Tag, nullable=False),
    Column("date", String(8), nullable=False),
    Column("studies", Integer, nullable=False),
    Index("ix_study_counts_day", "modality", "date", "studies"),
)

study_classes = Table(
    "study_classes",
    metadata,
    Column("sop_class", Uid, primary_key=True),
    Column("date", String(8), primary_key=True),
    Column("study", Uid, primary_key=True),
    Index("ix_study_classes_study", "study", "sop_class"),
    sqlite_with_rowid=False,
)

# Values of further attributes, of a study, series or instance; what does not apply is empty.
attribute_values = Table(
    "attribute_values",
    metadata,
    Column("tag", Tag, primary_key=True),
    Column("norm", Searched, primary_key=True),
    Column("date", String(8), primary_key=True),
    Column("study", Uid, primary_key=True),
    Column("series", Uid, primary_key=True),
    Column("instance", Uid, primary_key=True),
    Column("value", Searched, primary_key=True),
    Index("ix_attribute_values_study", "study", "series"),
    sqlite_with_rowid=False,
)

# Which further attributes are searched: of what level, and whether all that is held has been looked through.
search_attributes = Table(
    "search_attributes",
    metadata,
    Column("tag", Text, primary_key=True),
    Column("level", String(8), nullable=False),
    Column("keyword", Text, nullable=False),
    Column("vr", String(2), nullable=False),
    Column("ready", Boolean, nullable=False),
)

_NAME = "00100010"


def compact_counts(db: Db) -> None:
    """Add up what was counted apart; who counts meanwhile is not kept waiting."""
    c = study_counts.c
    seen = select(c.modality, c.date).group_by(c.modality, c.date).having(func.count() > 1)
    for modality, date in db.execute(seen).all():
        gone = delete(study_counts).where(c.modality == modality, c.date == date).returning(c.studies)
        studies = sum(db.scalars(gone))
        if studies:
            db.execute(insert(study_counts), [{"modality": modality, "date": date, "studies": studies}])


def forget_words(db: Db) -> None:
    """Remove the words and terms that no longer lead to anything held."""
    if db.dialect.name == "postgresql":  # who adds a term meanwhile would count on a word that goes
        db.exec_driver_sql("LOCK TABLE study_terms, patient_names, attribute_values IN SHARE MODE")
    w, t = term_words.c, study_terms.c
    used = (
        exists().where(t.tag == w.tag, t.norm == w.norm),
        exists().where(attribute_values.c.tag == w.tag, attribute_values.c.norm == w.norm),
        and_(w.tag == _NAME, exists().where(patient_names.c.norm == w.norm)),
    )
    db.execute(delete(term_words).where(~or_(*used)))
    known = select(w.word)
    db.execute(delete(words).where(words.c.word.not_in(known)))
    db.execute(delete(word_parts).where(word_parts.c.word.not_in(known)))
