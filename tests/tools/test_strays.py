"""Nothing of one machine is committed."""

import pytest

from tools import strays


def test_no_file_of_this_repository_holds_a_stray(capsys):
    assert strays.main() == 0, capsys.readouterr().err


@pytest.mark.parametrize(
    "text",
    [
        'DATA = "/{}/someone/data"'.format("home"),
        "see /{}/checkout/src".format("work"),
        "--{}-url https://packages.example/x".format("index"),
        "{} = https://packages.example".format("registry"),
        '"resolved": "{}://packages.example/a.tgz"'.format("https"),
        "https://packages.example/{}/numpy".format("simple"),
        "-----BEGIN {} KEY-----\nMC4CAQAw".format("PRIVATE"),
    ],
)
def test_a_stray_is_found_with_its_line(text):
    found = strays.strays_in(f"one\n{text}\n")

    assert [line for line, _ in found] == [2]


@pytest.mark.parametrize(
    "text",
    ["../shared/data", "https://example.org/home/page", "/worklist", "src/work/notes", "/srv/sightline"],
)
def test_what_belongs_to_every_machine_is_no_stray(text):
    assert strays.strays_in(text) == []
