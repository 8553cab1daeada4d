"""The refusals of the house."""

import pickle

import pytest

from sightline.kernel import errors

KINDS = (
    errors.NotFound,
    errors.Unauthenticated,
    errors.Forbidden,
    errors.Invalid,
    errors.Conflict,
    errors.Unavailable,
)


class ReportAlreadySigned(errors.Conflict):
    """For this test."""


class NotADicomFile(errors.Invalid):
    """For this test."""


@pytest.mark.parametrize(
    ("error", "code"),
    [(ReportAlreadySigned, "report-already-signed"), (NotADicomFile, "not-a-dicom-file")],
)
def test_the_machine_code_of_a_refusal_comes_from_its_name(error, code):
    assert error.code == code


def test_every_kind_is_a_refusal_and_no_kind_is_another():
    assert all(issubclass(kind, errors.PlatformError) for kind in KINDS)
    assert not any(issubclass(a, b) for a in KINDS for b in KINDS if a is not b)


def test_the_module_shows_its_tree():
    assert all(kind.__name__ in (errors.__doc__ or "") for kind in KINDS)


def test_message_and_facts_survive_the_way_out_of_a_child_process():
    error = pickle.loads(pickle.dumps(ReportAlreadySigned("It is signed.", report="r1")))

    assert (str(error), error.facts, error.code) == (
        "It is signed.",
        {"report": "r1"},
        "report-already-signed",
    )
