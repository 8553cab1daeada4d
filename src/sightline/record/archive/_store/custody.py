"""The tables of what becomes of what is held: corrections, what is out of sight, labels, holds, counts."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
)

from sightline.record.archive._store.tables import BigId, Uid
from sightline.runtime.db import Instant, Json, metadata

# Facts: a row is never changed but to say that it was undone.
corrections = Table(
    "corrections",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("kind", String(16), nullable=False),
    Column("subject", Uid, nullable=False),
    Column("author", String(128), nullable=False),
    Column("author_name", String(128), nullable=False),
    Column("at", Instant, nullable=False),
    Column("reason", Text, nullable=False),
    Column("before", Json, nullable=False),
    Column("after", Json, nullable=False),
    Column("undone_at", Instant),
    Column("undone_by", String(128)),
)

corrected_studies = Table(
    "corrected_studies",
    metadata,
    Column("study", Uid, primary_key=True),
    Column("correction", BigId, ForeignKey("corrections.id"), primary_key=True),
    Index("ix_corrected_studies_correction", "correction"),
)

# Patients that were merged: who comes under this identity, or is asked for by this id, is `patient` now.
merged_patients = Table(
    "merged_patients",
    metadata,
    Column("identity", Text, primary_key=True),
    Column("id", String(32), nullable=False, unique=True),
    Column("patient", String(32), nullable=False, index=True),
    Column("correction", BigId, ForeignKey("corrections.id"), nullable=False),
)

# What was rejected or put in the trash; the bytes stay where they are. `row` is what is needed to show it
# again; `purging_at` says that its bytes are going.
withheld = Table(
    "withheld",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("sop_uid", Uid, nullable=False, index=True),
    Column("study", Uid, nullable=False, index=True),
    Column("series", Uid, nullable=False),
    Column("patient", String(32), nullable=False),
    Column("blob", String(128), nullable=False, index=True),
    Column("hash", String(64), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("code", String(16), nullable=False),
    Column("note", Text, nullable=False),
    Column("note_uid", Uid),
    Column("author", String(128), nullable=False),
    Column("author_name", String(128), nullable=False),
    Column("at", Instant, nullable=False),
    Column("purge_after", Instant, index=True),
    Column("purging_at", Instant),
    Column("row", Json, nullable=False),
    Column("frame_table", LargeBinary),
    Column("metadata_gz", LargeBinary, nullable=False),
    Index("ix_withheld_kind_at", "kind", "at", "study"),
)

# The rows that stood above what was withheld, once for each act: shown in lists, and put back with it.
withheld_studies = Table(
    "withheld_studies",
    metadata,
    Column("study", Uid, primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("at", Instant, nullable=False),
    Column("patient", Json, nullable=False),
    Column("row", Json, nullable=False),
    Column("series", Json, nullable=False),
    Index("ix_withheld_studies_newest", "kind", "at", "study"),
)

study_labels = Table(
    "study_labels",
    metadata,
    Column("label", String(64), primary_key=True),
    Column("study", Uid, primary_key=True),
    Column("by", String(128), nullable=False),
    Column("at", Instant, nullable=False),
    Index("ix_study_labels_study", "study", "label"),
)

legal_holds = Table(
    "legal_holds",
    metadata,
    Column("study", Uid, primary_key=True),
    Column("by", String(128), nullable=False),
    Column("by_name", String(128), nullable=False),
    Column("at", Instant, nullable=False),
    Column("reason", Text, nullable=False),
)

receipts = Table(
    "receipts",
    metadata,
    Column("study", Uid, primary_key=True),
    Column("source_kind", String(16), primary_key=True),
    Column("source", String(128), primary_key=True),
    Column("first_at", Instant, nullable=False),
    Column("last_at", Instant, nullable=False),
    Column("instances", Integer, nullable=False),
)

expectations = Table(
    "expectations",
    metadata,
    Column("study", Uid, primary_key=True),
    Column("origin", String(16), primary_key=True),
    Column("subject", Uid, primary_key=True),
    Column("count", Integer),
    Column("at", Instant, nullable=False),
    Column("by", String(128), nullable=False),
)

expected_instances = Table(
    "expected_instances",
    metadata,
    Column("study", Uid, primary_key=True),
    Column("sop_uid", Uid, primary_key=True),
)

archive_rules = Table(
    "archive_rules",
    metadata,
    Column("kind", String(16), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("body", Json, nullable=False),
)
