"""From the repository to the site."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from website.reference import generated_pages
from website.staging import stage

__all__ = ["build"]

_HERE: Final = Path(__file__).parent
_STRICT: Final = ("--fail-on-warning", "--nitpicky", "--quiet", "--fresh-env")


def build(root: Path, out: Path) -> str:
    """Write the site of the repository at ``root`` to ``out``, and return what is wrong with its pages."""
    shutil.rmtree(out, ignore_errors=True)
    with tempfile.TemporaryDirectory() as directory:
        sources = Path(directory, "sources")
        stage(root, sources, generated_pages())
        shutil.copytree(_HERE / "_static", sources / "_static")
        done = subprocess.run(
            [
                *(sys.executable, "-m", "sphinx", *_STRICT, "--conf-dir", str(_HERE)),
                *("--doctree-dir", str(Path(directory, "doctrees")), str(sources), str(out)),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        (out / ".buildinfo").unlink(missing_ok=True)
        return "" if done.returncode == 0 else done.stderr.replace(f"{sources}/", "") or done.stdout
