"""Values and words that every tier uses."""

from datetime import UTC, date

import pytest

from sightline.kernel import clock
from sightline.kernel.dates import age_years, iso_date, long_date, parse_date
from sightline.kernel.names import display_name
from sightline.kernel.texts import one_line


def test_time_is_always_aware_and_in_utc():
    assert clock.now().tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("20260503", date(2026, 5, 3)),
        ("2026-05-03", date(2026, 5, 3)),
        ("20240229", date(2024, 2, 29)),
        ("20250229", None),
        ("2026", None),
        ("20261303", None),
        ("", None),
        ("unknown", None),
    ],
)
def test_a_date_is_read_or_there_is_none(text, day):
    assert parse_date(text) == day


def test_dates_are_written_for_machines_and_for_people():
    assert (iso_date("20260503"), iso_date("x")) == ("2026-05-03", "")
    assert (long_date("20260503"), long_date("")) == ("3 May 2026", "an unknown date")


@pytest.mark.parametrize(
    ("born", "on", "age"),
    [
        ("19600503", "20260502", 65),
        ("19600503", "20260503", 66),
        ("20260503", "20260503", 0),
        ("20270101", "20260503", None),  # a birth after the study is a mistake, not an age
        ("", "20260503", None),
        ("19600503", "", None),
        ("20240229", "20250228", 0),
        ("20240229", "20250301", 1),
    ],
)
def test_age_is_in_whole_years_at_the_study(born, on, age):
    assert age_years(born, on) == age


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Lovelace^Ada", "Lovelace, Ada"),
        ("Lovelace^Ada^King^Dr^PhD", "Lovelace, Ada King"),
        ("Lovelace", "Lovelace"),
        ("^Ada", "Ada"),
        ("YAMADA^Tarou=山田^太郎=やまだ^たろう", "YAMADA, Tarou 山田 太郎"),
        ("=山田^太郎", "山田 太郎"),
        ("^^^^", "no name"),
        ("", "no name"),
    ],
)
def test_a_person_name_is_made_readable(written, shown):
    assert display_name(written) == shown


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("plain", "plain"),
        (" two \n\t lines\r\n", "two lines"),
        ("a\x00b\x1b[31m\x7fc", "ab[31mc"),
        ("Größe ≥ 8 mm × 2 µm 山田 👍", "Größe ≥ 8 mm × 2 µm 山田 👍"),
        ("no\u00a0break", "no break"),
        ("over\u202eride", "override"),  # a hidden turn of direction can make a text read otherwise
        ("\n", ""),
    ],
)
def test_text_is_kept_on_one_line_without_what_nobody_sees(typed, kept):
    assert one_line(typed) == kept
