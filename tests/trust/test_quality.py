"""The claims of each domain of trust name tests that exist."""

from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "src" / "sightline" / "trust").glob("*/quality.yaml"))


def test_every_domain_of_trust_says_what_it_claims():
    assert [path.parent.name for path in FILES] == ["access", "audit", "identity"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name)
def test_each_claim_is_shown_by_a_test_or_exempt_with_a_reason(path):
    for entry in yaml.safe_load(path.read_text(encoding="utf-8")):
        assert entry.keys() in ({"claim", "done"}, {"claim", "exempt"})
        if "done" in entry:
            file, _, name = entry["done"].partition("::")
            assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8"), entry["done"]
        else:
            assert entry["exempt"]
