"""The set-up names what the machine lacks and what it is for."""

from tools import system_packages


def test_a_missing_package_is_named_with_its_purpose_and_the_command():
    needs = [
        system_packages.Need("libset", "sets text", lambda: False),
        system_packages.Need("there", "is there", lambda: True),
    ]

    missing = system_packages.missing_of(needs)
    text = system_packages.report(missing, can_install=False)

    assert [need.package for need in missing] == ["libset"]
    assert "libset  sets text" in text
    assert text.endswith("Install them as root on Debian or Ubuntu: apt-get install libset")


def test_a_machine_without_apt_is_told_and_the_set_up_goes_on(monkeypatch, capsys):
    monkeypatch.setattr(system_packages.shutil, "which", lambda _: None)
    monkeypatch.setitem(
        system_packages.SETS, "product", (system_packages.Need("libset", "sets text", lambda: False),)
    )

    assert system_packages.main(["product"]) == 0
    assert "libset" in capsys.readouterr().err


def test_libraries_programs_and_files_are_looked_for_where_they_would_be():
    assert system_packages.library("c")()
    assert not system_packages.library("no-such-library")()
    assert system_packages.program("sh")()
    assert not system_packages.program("no-such-program")()
    assert not system_packages.files("no/such/*/file")()
    assert system_packages.module("json")()
