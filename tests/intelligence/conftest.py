"""The clinic: an archive, people, studies and what is said of them."""

from tests.care.clinic import (
    clinic,
    colleague,
    database,
    db,
    radiologist,
    receive,
    shared_postgresql,
    sqlite,
    store,
    technologist,
)

__all__ = [
    "clinic",
    "colleague",
    "database",
    "db",
    "radiologist",
    "receive",
    "shared_postgresql",
    "sqlite",
    "store",
    "technologist",
]
