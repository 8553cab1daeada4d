"""Transfers, upkeep, backup and restore at the command line."""

import json


def test_upkeep_checks_everything_and_says_so(sightline, write_slice):
    sightline("import", str(write_slice()), "--no-wait")

    answer = sightline("upkeep", "scrub", "--json")

    assert answer.code == 0, answer.err
    found = json.loads(answer.out)
    assert (found["state"], found["done"], found["found"]) == ("done", 1, 0)
    assert "scrub" in sightline("upkeep", "status").out


def test_a_folder_is_taken_over_with_a_report(sightline, write_slice):
    folder = write_slice().parent
    sightline("user", "list")  # makes the installation

    answer = sightline("transfer", "migrate", str(folder), "--json")

    assert answer.code == 0, answer.err
    (ended,) = json.loads(answer.out)
    assert (ended["state"], ended["differences"]["stored"]) == ("done", 1)
    assert "import" in sightline("transfer", "list").out


def test_a_backup_is_taken_and_restored_elsewhere(sightline, write_slice, tmp_path):
    sightline("import", str(write_slice()), "--no-wait")

    taken = sightline("backup", str(tmp_path / "backup"), "--json")
    (tmp_path / "data").rename(tmp_path / "lost")
    restored = sightline("restore", str(tmp_path / "backup"))

    assert json.loads(taken.out)["studies"] == 1
    assert restored.code == 0, restored.err
    assert "1 studies" in restored.out
    assert sightline("audit", "verify").code == 0


def test_a_transfer_to_nobody_is_refused_in_one_line(sightline):
    sightline("user", "list")
    answer = sightline("transfer", "send", "NOBODY", "1.2.3")

    assert answer.code == 1
    assert "add it first" in answer.err


def test_looking_where_no_installation_is_makes_none(sightline, tmp_path):
    answer = sightline("transfer", "list")

    assert answer.code == 2
    assert "There is no installation in" in answer.err
    assert not (tmp_path / "data").exists()
