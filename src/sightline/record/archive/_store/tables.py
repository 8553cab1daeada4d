"""The tables of the archive.

Patients own studies, studies own series, series own instances. Counts and modalities are kept on the parents,
so that no list ever counts. Dates are text YYYYMMDD, names are searched in a normalised column, pages are
found by key. The indices are those that stay flat at a million studies.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from sightline.runtime.db import Instant, Json, metadata

Uid = String(64)
# Prefixes are found by a range, which on PostgreSQL needs byte order.
Searched = Text().with_variant(Text(collation="C"), "postgresql")
BigId = BigInteger().with_variant(Integer, "sqlite")

patients = Table(
    "patients",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("identity", Text, nullable=False, unique=True),
    Column("issuer", Text, nullable=False),
    Column("patient_id", Text, nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("name_norm", Searched, nullable=False, index=True),
    Column("birth_date", String(8), nullable=False),
    Column("sex", Text, nullable=False),
)

studies = Table(
    "studies",
    metadata,
    Column("uid", Uid, primary_key=True),
    Column("patient", String(32), ForeignKey("patients.id"), nullable=False),
    Column("patient_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("name_norm", Searched, nullable=False),
    Column("birth_date", String(8), nullable=False),
    Column("sex", Text, nullable=False),
    Column("date", String(8), nullable=False),
    Column("time", Text, nullable=False),
    Column("accession", Text, nullable=False, index=True),
    Column("study_id", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("referring", Text, nullable=False),
    Column("body_part", Text, nullable=False),
    Column("modalities", Text, nullable=False),
    Column("series_count", Integer, nullable=False),
    Column("instance_count", Integer, nullable=False),
    Column("image_count", Integer, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("simulated", Boolean, nullable=False),
    Column("first_received", Instant, nullable=False),
    Column("last_received", Instant, nullable=False),
    Column("settled_at", Instant),
    # As they are searched; none where an earlier release recorded the study, until a job has caught up.
    Column("referring_norm", Text),
    Column("description_norm", Text),
    # What is set when an object is given out (DICOM JSON), and as whom its senders know the patient.
    Column("overlay", Json),
    Column("sent_as", Text),
)
Index("ix_studies_newest", studies.c.date.desc(), studies.c.uid.desc())
Index("ix_studies_patient_newest", studies.c.patient, studies.c.date.desc(), studies.c.uid.desc())
Index("ix_studies_patient_id_newest", studies.c.patient_id, studies.c.date.desc(), studies.c.uid.desc())
Index("ix_studies_study_id_newest", studies.c.study_id, studies.c.date.desc(), studies.c.uid.desc())
Index("ix_studies_birth_date_newest", studies.c.birth_date, studies.c.date.desc(), studies.c.uid.desc())
Index("ix_studies_name_newest", studies.c.name_norm, studies.c.date.desc())
Index(
    "ix_studies_unsettled",
    studies.c.last_received,
    sqlite_where=studies.c.settled_at.is_(None),
    postgresql_where=studies.c.settled_at.is_(None),
)

# One row for each modality of a study, in the order lists are read: no join, no sort.
study_modalities = Table(
    "study_modalities",
    metadata,
    Column("modality", Text, primary_key=True),
    Column("date", String(8), primary_key=True),
    Column("study", Uid, ForeignKey("studies.uid", ondelete="CASCADE"), primary_key=True),
    Index("ix_study_modalities_study", "study", "modality"),
    sqlite_with_rowid=False,
)

series = Table(
    "series",
    metadata,
    Column("uid", Uid, primary_key=True),
    Column("study", Uid, ForeignKey("studies.uid"), nullable=False, index=True),
    Column("modality", Text, nullable=False),
    Column("number", Integer),
    Column("description", Text, nullable=False),
    Column("body_part", Text, nullable=False),
    Column("date", String(8), nullable=False),
    Column("time", Text, nullable=False),
    Column("performed_date", String(8), nullable=False, index=True),
    Column("performed_time", Text, nullable=False),
    Column("instance_count", Integer, nullable=False),
    Column("frame_count", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("first_received", Instant, nullable=False),
    Column("last_received", Instant, nullable=False),
    # RequestAttributesSequence as DICOM JSON, and under which setting further attributes were searched for.
    Column("request_attributes", Text),
    Column("searched", String(32), index=True),
    # What is set when an object is given out, and the study its senders know the series under.
    Column("overlay", Json),
    Column("sent_as", Uid),
)

instances = Table(
    "instances",
    metadata,
    Column("sop_uid", Uid, primary_key=True),
    Column("series", Uid, ForeignKey("series.uid"), nullable=False, index=True),
    Column("study", Uid, ForeignKey("studies.uid"), nullable=False, index=True),
    Column("sop_class", Uid, nullable=False),
    Column("number", Integer),
    Column("transfer_syntax", Uid, nullable=False),
    Column("blob", String(128), nullable=False, unique=True),
    Column("size", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("rows", Integer),
    Column("columns", Integer),
    Column("frames", Integer),
    Column("bits", Integer),
    Column("position", Text, nullable=False),
    Column("location_mm", Float(53)),
    Column("received_at", Instant, nullable=False, index=True),
    Column("frame_table", LargeBinary),
    Column("metadata_gz", LargeBinary, nullable=False),
)

conflicts = Table(
    "conflicts",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("sop_uid", Uid, nullable=False),
    Column("study_uid", Uid, nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("blob", String(128), nullable=False, index=True),
    Column("source", Text, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("resolved_at", Instant),
    Column("decision", String(16)),
    Column("decided_by", String(128)),
    Column("note", Text),
    UniqueConstraint("sop_uid", "hash"),
)

refusals = Table(
    "refusals",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("at", Instant, nullable=False, index=True),
    Column("source_kind", String(16), nullable=False),
    Column("source", Text, nullable=False),
    Column("code", String(32), nullable=False),
    Column("reason", Text, nullable=False),
    Column("study_uid", Uid, index=True),
)
