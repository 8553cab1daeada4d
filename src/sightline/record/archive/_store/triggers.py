# ruff: noqa: S608
"""The triggers that keep what searching stands on in step with what is held, whoever changes it."""

from typing import Any

from sqlalchemy import Connection, MetaData, event, inspect

from sightline.record.archive._matching import FUZZY_HEAD, SHORTEST_FUZZY
from sightline.runtime.db import metadata

_NAME = "00100010"
# Which column of a study holds the terms of an attribute: groups are separated by an equals sign.
TERMS = {"00100010": "name_norm", "00080090": "referring_norm", "00081030": "description_norm"}
# What else bears the date of its study.
_DATED = ("study_modalities", "study_classes", "attribute_values")

# Words are cut at this length, that of a group of a name: what is stored must not grow with what is sent.
LONGEST_WORD = 64
_HEADS = ",".join(str(n) for n in range(SHORTEST_FUZZY, FUZZY_HEAD + 2))
_PLACES = ",".join(str(n) for n in range(1, LONGEST_WORD - 1))


def _sqlite_pieces(text: str, separator: str) -> str:
    """Return a table of the pieces of a text; SQLite splits by its JSON functions."""
    return f"""json_each('[' || replace(json_quote({text}), '{separator}', '","') || ']')"""


def _sqlite_terms() -> str:
    return " ".join(
        "INSERT OR IGNORE INTO study_terms (tag, norm, date, study) "
        f"SELECT '{tag}', value, new.date, new.uid FROM {_sqlite_pieces(f'new.{column}', '=')} "
        f"WHERE new.{column} <> '' AND value <> '';"
        for tag, column in TERMS.items()
    )


def _sqlite_forget_terms() -> str:
    tags = ", ".join(f"'{tag}'" for tag in TERMS)
    return f"DELETE FROM study_terms WHERE tag IN ({tags}) AND date = old.date AND study = old.uid;"


_SQLITE_NAMES = (
    "INSERT OR IGNORE INTO patient_names (norm, patient) SELECT value, new.id "
    f"FROM {_sqlite_pieces('new.name_norm', '=')} WHERE value <> '';"
)
_SQLITE_FORGET_NAMES = "DELETE FROM patient_names WHERE patient = old.id;"


def _sqlite_words(tag: str) -> str:
    return (
        f"INSERT INTO term_words (tag, word, norm) SELECT DISTINCT {tag}, substr(value, 1, {LONGEST_WORD}), "
        f"new.norm FROM {_sqlite_pieces('new.norm', ' ')} WHERE value <> '' AND NOT EXISTS "
        f"(SELECT 1 FROM term_words t WHERE t.tag = {tag} AND t.norm = new.norm);"
    )


def _sqlite_parts() -> str:
    head = "substr(new.word, 1, n.value - 1) || substr(new.word, n.value + 1, h.value - n.value)"
    return (
        "INSERT INTO word_parts (part, word) SELECT DISTINCT substr(new.word, value, 3), new.word "
        f"FROM json_each('[{_PLACES}]') WHERE value <= length(new.word) - 2; "
        f"INSERT INTO word_parts (part, word) SELECT DISTINCT '~' || {head}, new.word "
        f"FROM json_each('[{_HEADS}]') h, json_each('[{_PLACES}]') n WHERE n.value <= h.value;"
    )


def _sqlite_classes() -> str:
    return (
        "INSERT OR IGNORE INTO study_classes (sop_class, date, study) "
        "SELECT new.sop_class, date, uid FROM studies WHERE uid = new.study;"
    )


_SQLITE_FORGET_CLASSES = (
    "DELETE FROM study_classes WHERE study = old.study AND sop_class = old.sop_class AND NOT EXISTS "
    "(SELECT 1 FROM instances i WHERE i.study = old.study AND i.sop_class = old.sop_class);"
)


def _sqlite_count(modality: str, date: str, by: int) -> str:
    return (
        f"INSERT INTO study_counts (modality, date, studies) SELECT {modality}, {date}, 0 WHERE NOT EXISTS "
        f"(SELECT 1 FROM study_counts WHERE modality = {modality} AND date = {date}); "
        f"UPDATE study_counts SET studies = studies + {by} WHERE modality = {modality} AND date = {date};"
    )


def _sqlite_counts(table: str, modality: str) -> dict[str, str]:
    """Return the triggers that count the rows of a table by day."""
    more, less = (_sqlite_count(modality.format(r), f"{r}.date", by) for r, by in (("new", 1), ("old", -1)))
    return {
        f"{table}_more AFTER INSERT ON {table}": more,
        f"{table}_less AFTER DELETE ON {table}": less,
        f"{table}_other AFTER UPDATE OF date ON {table} WHEN old.date <> new.date": less + more,
    }


def _sqlite() -> tuple[str, ...]:
    columns = ", ".join(TERMS.values())
    triggers = {
        "studies_insert AFTER INSERT ON studies": _sqlite_terms(),
        f"studies_update AFTER UPDATE OF {columns}, date ON studies": _sqlite_forget_terms()
        + _sqlite_terms(),
        "studies_date AFTER UPDATE OF date ON studies WHEN old.date <> new.date": "".join(
            f"UPDATE {table} SET date = new.date WHERE study = new.uid;" for table in _DATED
        ),
        "studies_delete AFTER DELETE ON studies": _sqlite_forget_terms()
        + "".join(f"DELETE FROM {table} WHERE study = old.uid;" for table in _DATED),
        "patients_insert AFTER INSERT ON patients": _SQLITE_NAMES,
        "patients_update AFTER UPDATE OF name_norm ON patients": _SQLITE_FORGET_NAMES + _SQLITE_NAMES,
        "patients_delete AFTER DELETE ON patients": _SQLITE_FORGET_NAMES,
        "study_terms_insert AFTER INSERT ON study_terms": _sqlite_words("new.tag"),
        "attribute_values_insert AFTER INSERT ON attribute_values": _sqlite_words("new.tag"),
        "patient_names_insert AFTER INSERT ON patient_names": _sqlite_words(f"'{_NAME}'"),
        "term_words_insert AFTER INSERT ON term_words "
        "WHEN NOT EXISTS (SELECT 1 FROM words WHERE word = new.word)": (
            "INSERT INTO words (word) VALUES (new.word);"
        ),
        "words_insert AFTER INSERT ON words": _sqlite_parts(),
        "instances_insert AFTER INSERT ON instances": _sqlite_classes(),
        "instances_update AFTER UPDATE OF study, sop_class ON instances": _SQLITE_FORGET_CLASSES
        + _sqlite_classes(),
        "instances_delete AFTER DELETE ON instances": _SQLITE_FORGET_CLASSES
        + "DELETE FROM attribute_values WHERE study = old.study AND series = old.series "
        "AND instance = old.sop_uid;",
        "series_moved AFTER UPDATE OF study ON series WHEN old.study <> new.study": (
            "UPDATE attribute_values SET study = new.study, "
            "date = (SELECT date FROM studies WHERE uid = new.study) "
            "WHERE study = old.study AND series = new.uid; "
            "UPDATE series SET searched = NULL WHERE uid = new.uid;"
        ),
        "series_delete AFTER DELETE ON series": (
            "DELETE FROM attribute_values WHERE study = old.study AND series = old.uid;"
        ),
        **_sqlite_counts("studies", "''"),
        **_sqlite_counts("study_modalities", "{}.modality"),
    }
    return tuple(f"CREATE TRIGGER search_{head} BEGIN {body} END" for head, body in triggers.items())


def _postgresql() -> tuple[str, ...]:
    terms = ", ".join(f"('{tag}', NEW.{column})" for tag, column in TERMS.items())
    tags = ", ".join(f"'{tag}'" for tag in TERMS)
    moved = " ".join(f"UPDATE {table} SET date = NEW.date WHERE study = NEW.uid;" for table in _DATED)
    gone = " ".join(f"DELETE FROM {table} WHERE study = OLD.uid;" for table in _DATED)
    functions = {
        "search_add_words(a_tag text, a_norm text) RETURNS void": f"""
IF EXISTS (SELECT 1 FROM term_words t WHERE t.tag = a_tag AND t.norm = a_norm) THEN RETURN; END IF;
INSERT INTO term_words (tag, word, norm) SELECT DISTINCT a_tag, left(w, {LONGEST_WORD}), a_norm
FROM unnest(string_to_array(a_norm, ' ')) w WHERE w <> '';
WITH fresh AS (
    INSERT INTO words (word) SELECT DISTINCT left(w, {LONGEST_WORD})
    FROM unnest(string_to_array(a_norm, ' ')) w
    WHERE w <> '' AND NOT EXISTS (SELECT 1 FROM words k WHERE k.word = left(w, {LONGEST_WORD}))
    RETURNING word
)
INSERT INTO word_parts (part, word)
SELECT DISTINCT substr(word, n, 3), word FROM fresh, generate_series(1, length(word) - 2) n
UNION SELECT DISTINCT '~' || left(word, n - 1) || substr(word, n + 1, h - n), word
FROM fresh, unnest(ARRAY[{_HEADS}]) h, generate_series(1, h) n;""",
        "search_studies() RETURNS trigger": f"""
IF TG_OP <> 'INSERT' THEN
    DELETE FROM study_terms WHERE tag IN ({tags}) AND date = OLD.date AND study = OLD.uid;
END IF;
IF TG_OP = 'DELETE' THEN {gone} RETURN NULL; END IF;
INSERT INTO study_terms (tag, norm, date, study) SELECT v.tag, g, NEW.date, NEW.uid
FROM (VALUES {terms}) v (tag, norm), unnest(string_to_array(v.norm, '=')) g
WHERE g <> '' ON CONFLICT DO NOTHING;
IF TG_OP = 'UPDATE' AND OLD.date <> NEW.date THEN {moved} END IF;
RETURN NULL;""",
        "search_series() RETURNS trigger": """
IF TG_OP = 'DELETE' THEN
    DELETE FROM attribute_values WHERE study = OLD.study AND series = OLD.uid;
ELSIF OLD.study <> NEW.study THEN
    UPDATE attribute_values SET study = NEW.study, date = (SELECT date FROM studies WHERE uid = NEW.study)
    WHERE study = OLD.study AND series = NEW.uid;
    UPDATE series SET searched = NULL WHERE uid = NEW.uid;
END IF;
RETURN NULL;""",
        "search_patients() RETURNS trigger": """
IF TG_OP <> 'INSERT' THEN DELETE FROM patient_names WHERE patient = OLD.id; END IF;
IF TG_OP = 'DELETE' THEN RETURN NULL; END IF;
INSERT INTO patient_names (norm, patient) SELECT g, NEW.id FROM unnest(string_to_array(NEW.name_norm, '=')) g
WHERE g <> '' ON CONFLICT DO NOTHING;
RETURN NULL;""",
        "search_terms() RETURNS trigger": "PERFORM search_add_words(NEW.tag, NEW.norm); RETURN NULL;",
        "search_names() RETURNS trigger": f"PERFORM search_add_words('{_NAME}', NEW.norm); RETURN NULL;",
        "search_add_classes() RETURNS trigger": """
INSERT INTO study_classes (sop_class, date, study) SELECT DISTINCT n.sop_class, s.date, s.uid
FROM fresh n JOIN studies s ON s.uid = n.study ORDER BY 3, 1 ON CONFLICT DO NOTHING;
RETURN NULL;""",
        "search_drop_classes() RETURNS trigger": """
DELETE FROM study_classes c USING (SELECT DISTINCT study, sop_class FROM stale) o
WHERE c.study = o.study AND c.sop_class = o.sop_class
AND NOT EXISTS (SELECT 1 FROM instances i WHERE i.study = o.study AND i.sop_class = o.sop_class);
IF TG_OP = 'DELETE' THEN
    DELETE FROM attribute_values v USING stale o
    WHERE v.study = o.study AND v.series = o.series AND v.instance = o.sop_uid;
END IF;
RETURN NULL;""",
    }
    for table, modality in (("studies", "''"), ("study_modalities", "{}.modality")):
        less, more = modality.format("OLD"), modality.format("NEW")
        functions[f"search_count_{table}() RETURNS trigger"] = f"""
IF TG_OP = 'UPDATE' AND OLD.date = NEW.date THEN RETURN NULL; END IF;
IF TG_OP <> 'INSERT' THEN INSERT INTO study_counts VALUES ({less}, OLD.date, -1); END IF;
IF TG_OP <> 'DELETE' THEN INSERT INTO study_counts VALUES ({more}, NEW.date, 1); END IF;
RETURN NULL;"""
    columns = ", ".join(TERMS.values())
    each = "FOR EACH ROW EXECUTE FUNCTION"
    fresh = "REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION search_add_classes()"
    stale = "REFERENCING OLD TABLE AS stale FOR EACH STATEMENT EXECUTE FUNCTION search_drop_classes()"
    triggers = (
        f"studies AFTER INSERT OR DELETE OR UPDATE OF {columns}, date ON studies {each} search_studies()",
        f"series AFTER DELETE OR UPDATE OF study ON series {each} search_series()",
        f"patients AFTER INSERT OR DELETE OR UPDATE OF name_norm ON patients {each} search_patients()",
        f"study_terms AFTER INSERT ON study_terms {each} search_terms()",
        f"attribute_values AFTER INSERT ON attribute_values {each} search_terms()",
        *(
            f"count_{table} AFTER INSERT OR DELETE OR UPDATE OF date ON {table} {each} search_count_{table}()"
            for table in ("studies", "study_modalities")
        ),
        f"patient_names AFTER INSERT ON patient_names {each} search_names()",
        f"instances_insert AFTER INSERT ON instances {fresh}",
        f"instances_moved AFTER UPDATE ON instances {fresh}",
        f"instances_update AFTER UPDATE ON instances {stale}",
        f"instances_delete AFTER DELETE ON instances {stale}",
    )
    return (
        *(
            f"CREATE FUNCTION {head} LANGUAGE plpgsql AS $$ BEGIN {body} END $$"
            for head, body in functions.items()
        ),
        *(f"CREATE TRIGGER search_{trigger}" for trigger in triggers),
    )


_TRIGGERS: dict[str, tuple[str, ...]] = {"sqlite": _sqlite(), "postgresql": _postgresql()}


# What was held before the triggers were.
_HELD = (
    "INSERT INTO study_counts (modality, date, studies) SELECT '', date, count(*) FROM studies GROUP BY date",
    "INSERT INTO study_counts (modality, date, studies) "
    "SELECT modality, date, count(*) FROM study_modalities GROUP BY modality, date",
    "INSERT INTO study_classes (sop_class, date, study) SELECT DISTINCT i.sop_class, s.date, s.uid "
    "FROM instances i JOIN studies s ON s.uid = i.study",
    "UPDATE patients SET name_norm = name_norm",
    "UPDATE studies SET date = date",
)
DDL_STATEMENTS = {name: (*statements, *_HELD) for name, statements in _TRIGGERS.items()}


@event.listens_for(metadata, "after_create")
def _create_triggers(_target: MetaData, db: Connection, **_options: Any) -> None:
    """Make the triggers where the tables are made without a migration."""
    if not inspect(db).has_table("study_terms"):
        return
    exists = {
        "sqlite": "SELECT 1 FROM sqlite_master WHERE type = 'trigger' AND name = 'search_studies_insert'",
        "postgresql": "SELECT 1 FROM pg_trigger WHERE tgname = 'search_studies' "
        "AND tgrelid = to_regclass('studies')",
    }
    if db.exec_driver_sql(exists[db.dialect.name]).first() is None:
        for statement in _TRIGGERS[db.dialect.name]:
            db.exec_driver_sql(statement)
