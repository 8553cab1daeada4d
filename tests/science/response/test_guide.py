"""The guide's example is what a reader will type first."""

import re
from pathlib import Path

GUIDE = Path(__file__).parents[3] / "docs" / "guides" / "response.md"


def test_the_example_of_the_guide_runs(capsys):
    (example,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)

    exec(compile(example, str(GUIDE), "exec"), {})

    printed = capsys.readouterr().out.splitlines()
    assert [line for line in printed if not line.startswith(" ")] == [
        "baseline 72.0 baseline",
        "week 8 39.0 PR",
        "week 16 43.0 PR",
        "PR",
    ]
