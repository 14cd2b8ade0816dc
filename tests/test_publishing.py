"""What people are given: pictures, releases, and the project's address; and what makes them."""

import hashlib
import json
import os
from pathlib import Path
import re
import shutil
import struct
import subprocess
import sys
from typing import Any
from zipfile import ZipFile

from homeassistant.components.brands.const import ALLOWED_IMAGES
from homeassistant.util.yaml import parse_yaml
import pytest

from custom_components.developer_credentials.const import DEVELOPER_GUIDE_URL

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "custom_components" / "developer_credentials"
BRAND = PACKAGE / "brand"
_CHANGELOG = (ROOT / "CHANGELOG.md").read_text()
WORKFLOWS = sorted((ROOT / ".github" / "workflows").iterdir())


def _yaml(path: Path) -> dict[str, Any]:
    content = parse_yaml(path.read_text())
    assert isinstance(content, dict)
    return content


def _tracked() -> list[Path]:
    """Return the files of the project."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    files = (ROOT / name for name in listing.stdout.splitlines())
    return [file for file in files if file.is_file()]


@pytest.mark.parametrize("name", sorted(ALLOWED_IMAGES))
def test_brand(name: str) -> None:
    """Each picture that Home Assistant asks for is there, at its size, with transparency."""
    signature, size, color_type = struct.unpack(">8s8x8sxB", (BRAND / name).read_bytes()[:26])
    assert signature == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", size)
    scale = 2 if "@2x" in name else 1
    assert height == 256 * scale
    assert (width == height) == ("icon" in name)
    assert color_type == 6
    assert (
        f'id="{re.sub("(@2x)?.png", "", name)}"'
        in (ROOT / "docs" / "images" / "brand.svg").read_text()
    )


def _copy(tmp_path: Path, *names: str) -> Path:
    """Return a copy of the project's files, and of what else a script looks at."""
    for name in (str(path.relative_to(ROOT)) for path in _tracked()):
        if name.startswith(names):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tmp_path / name)
    for command in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)  # noqa: S603, S607
    return tmp_path


def _run(project: Path, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(project / "script" / script), *arguments]
    return subprocess.run(  # noqa: S603
        command, cwd=project, capture_output=True, text=True, check=False
    )


class TestRelease:
    """`script/release` builds what HACS installs."""

    @pytest.fixture
    def project(self, tmp_path: Path) -> Path:
        """Return a copy of the project whose changelog has a version."""
        project = _copy(tmp_path, "custom_components/", "script/", "CHANGELOG.md")
        (project / "CHANGELOG.md").write_text("# Changelog\n\n## 9.8.7\n\n- New.\n\n## 0.1.0\n")
        return project

    @pytest.mark.parametrize("version", ["9.8.7", "v9.8.7"])
    def test_zip(self, project: Path, version: str) -> None:
        """The zip has the integration at its root, its manifest the version, and nothing else."""
        (project / "custom_components" / "developer_credentials" / "notes.txt").write_text("mine")
        done = _run(project, "release", version)
        assert (done.returncode, done.stdout) == (0, "- New.\n")
        with ZipFile(project / "dist" / "developer_credentials.zip") as archive:
            assert json.loads(archive.read("manifest.json"))["version"] == "9.8.7"
            assert {"__init__.py", "py.typed", "brand/icon.png"} <= set(archive.namelist())
            assert "notes.txt" not in archive.namelist()
            own = (PACKAGE / "oauth2" / "server.py").read_bytes()
            assert archive.read("oauth2/server.py") == own

    def test_same_bytes(self, project: Path) -> None:
        """The same commit makes the same bytes, and their checksum is beside them."""
        target = project / "dist" / "developer_credentials.zip"
        builds = set()
        for stamp in (10**9, 2 * 10**9):
            os.utime(
                project / "custom_components" / "developer_credentials" / "const.py", (stamp,) * 2
            )
            assert _run(project, "release", "9.8.7").returncode == 0
            builds.add(target.read_bytes())
        assert len(builds) == 1
        digest = hashlib.sha256(builds.pop()).hexdigest()
        checksum = target.with_suffix(".zip.sha256").read_text()
        assert checksum == f"{digest}  developer_credentials.zip\n"

    def test_version_of_the_project(self) -> None:
        """The manifest has the newest version of the changelog, which a release is made of."""
        versions = re.findall(r"^## (\d\S+) \(\d{4}-\d\d-\d\d\)$", _CHANGELOG, re.MULTILINE)
        assert json.loads((PACKAGE / "manifest.json").read_text())["version"] == versions[0]
        assert versions[-1] == "0.1.0"

    def test_default_version(self, project: Path) -> None:
        """Without a version, it is the manifest's."""
        version = json.loads((PACKAGE / "manifest.json").read_text())["version"]
        (project / "CHANGELOG.md").write_text(_CHANGELOG)
        assert _run(project, "release").returncode == 0
        with ZipFile(project / "dist" / "developer_credentials.zip") as archive:
            assert json.loads(archive.read("manifest.json"))["version"] == version

    @pytest.mark.parametrize(
        ("version", "said"),
        [("9.8", "VERSION is"), ("9.8.7.dev1", "VERSION is"), ("9.8.8", "has no section 9.8.8")],
    )
    def test_version(self, project: Path, version: str, said: str) -> None:
        """A version is one that the changelog tells of."""
        done = _run(project, "release", version)
        assert done.returncode != 0
        assert said in done.stderr
        assert not (project / "dist").exists()


class TestRepository:
    """The address of the repository stands where `script/repository` changes it."""

    def test_one_address(self) -> None:
        """Nothing names another repository or owner of this project."""
        manifest = json.loads((PACKAGE / "manifest.json").read_text())
        address = manifest["documentation"]
        owner, name = address.removeprefix("https://github.com/").split("/")
        assert manifest["issue_tracker"] == f"{address}/issues"
        assert manifest["codeowners"] == [f"@{owner}"]
        assert (ROOT / ".github" / "CODEOWNERS").read_text() == f"* @{owner}\n"
        assert DEVELOPER_GUIDE_URL.startswith(f"{address}/blob/main/")
        for path in _tracked():
            if path.suffix == ".png":
                continue
            for found in re.findall(rf"github\.com/([\w-]+)/{name}\b", path.read_text()):
                assert found == owner, path
            for found in re.findall(r"hacs_repository/\?([\w=&-]+)", path.read_text()):
                assert found == f"owner={owner}&repository={name}&category=integration"

    def test_change(self, tmp_path: Path) -> None:
        """One command changes it everywhere, and back."""
        project = _copy(
            tmp_path, "README", "custom_components/", "demo/", "script/", ".github/", "docs/"
        )
        before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
        old = json.loads((PACKAGE / "manifest.json").read_text())["documentation"].split("/", 3)[3]
        assert _run(project, "repository", "someone/else").returncode == 0
        owners = (project / ".github" / "CODEOWNERS").read_text()
        assert owners == "* @someone\n"
        for path in before:
            if path.suffix in {".json", ".py", ".md", ".yml"} and ".git" not in path.parts:
                assert old not in path.read_text()
                assert "owner=developer-credentials" not in path.read_text()
        assert _run(project, "repository", old).returncode == 0
        assert {path: path.read_bytes() for path in before} == before

    def test_address(self, tmp_path: Path) -> None:
        """What is no address is refused."""
        project = _copy(tmp_path, "script/")
        assert _run(project, "repository", "https://github.com/a/b").returncode == 2


class TestWorkflows:
    """The workflows of the repository call the project's scripts, and trust nobody else."""

    @pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
    def test_pinned(self, path: Path) -> None:
        """An action is named by the hash of a commit, with the version in a comment."""
        uses = re.findall(r"uses: (\S+)(.*)", path.read_text())
        assert uses
        for action, comment in uses:
            assert action.startswith("$/.github/") or re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action)
            assert action.startswith("$/") or re.fullmatch(r" # (v[\d.]+|main)", comment)

    @pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
    def test_least_permissions(self, path: Path) -> None:
        """A workflow has no permission, each job those that it needs, and an end."""
        workflow = _yaml(path)
        assert workflow["permissions"] == {}
        for job in workflow["jobs"].values():
            assert job["permissions"]["contents"] in {"read", "write"}
            assert "uses" in job or job["timeout-minutes"] <= 45

    def test_checks_are_ours(self) -> None:
        """What gates a change here gates it there: each command of .ci/run is run by a job."""
        jobs = _yaml(ROOT / ".github" / "workflows" / "checks.yaml")["jobs"]
        run = {step.get("run", "") for job in jobs.values() for step in job["steps"]}
        gates = re.findall(
            r"^ *(script/.*?)(?: --ha .*)?$", (ROOT / ".ci" / "run").read_text(), re.MULTILINE
        )
        assert gates
        for gate in gates:
            assert any(command.startswith(gate) for command in run), gate
