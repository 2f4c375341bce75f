"""Test the parts of the container for a class that can be tested without building it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGING = ROOT / "packaging"


def test_all_that_is_copied_exists() -> None:
    dockerfile = (PACKAGING / "Dockerfile").read_text(encoding="utf-8")
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.M)
    sources = [ROOT / source for line in copied for source in line.split()]
    assert sources
    assert [source for source in sources if not source.exists()] == []


def test_logins_are_as_confined_as_on_a_machine() -> None:
    page = (ROOT / "docs" / "hosting.md").read_text(encoding="utf-8")
    block = re.search(r"    Match Group tutor\n(?:        .+\n)+", page)
    assert block is not None
    wanted = {line.strip() for line in block[0].splitlines()} - {"PasswordAuthentication no"}
    settings = (PACKAGING / "container" / "sshd.conf").read_text(encoding="utf-8")
    everyone, learners = settings.split("Match Group tutor")
    assert wanted <= {line.strip() for line in learners.splitlines()} | {"Match Group tutor"}
    assert "PasswordAuthentication no" in everyone
    assert "AllowGroups tutor" in everyone


def test_the_scripts_are_well_formed() -> None:
    subprocess.run(["sh", "-n", str(PACKAGING / "container" / "class")], check=True)
    engine = PACKAGING / "container" / "engine.py"
    compile(engine.read_text(encoding="utf-8"), engine.name, "exec")
