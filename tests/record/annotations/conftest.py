"""A study to draw on, and people who do."""

from tests.care.clinic import (
    colleague,
    database,
    db,
    log_in,
    radiologist,
    reads,
    receive,
    shared_postgresql,
    sqlite,
    store,
    technologist,
)

__all__ = [
    "colleague",
    "database",
    "db",
    "log_in",
    "radiologist",
    "reads",
    "receive",
    "shared_postgresql",
    "sqlite",
    "store",
    "technologist",
]
