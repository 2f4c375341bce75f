"""Test how much memory is free, on folders that look like machines."""

from __future__ import annotations

from pathlib import Path

import pytest

from tutor.lm.fast.free_memory import available_memory

MEGABYTE = 1024 * 1024


def write_machine(root: Path, available: int, own_group: str = "/") -> None:
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/meminfo").write_text(
        f"MemTotal: 9999999 kB\nMemAvailable: {available * 1024} kB\n"
    )
    (root / "proc/self/cgroup").write_text(f"4:memory:/of-old\n0::{own_group}\n")
    (root / "sys/fs/cgroup").mkdir(parents=True)


def write_group(root: Path, group: str, limit: int | None, used: int, reclaimable: int = 0) -> None:
    folder = root / "sys/fs/cgroup" / group
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "memory.max").write_text("max\n" if limit is None else f"{limit * MEGABYTE}\n")
    (folder / "memory.current").write_text(f"{used * MEGABYTE}\n")
    (folder / "memory.stat").write_text(f"anon 5\ninactive_file {reclaimable * MEGABYTE}\n")


def test_this_machine_reports_its_memory() -> None:
    available = available_memory()
    assert available is None or available > MEGABYTE


def test_without_limits_the_machines_free_memory_counts(tmp_path: Path) -> None:
    write_machine(tmp_path, 3000)
    assert available_memory(tmp_path) == 3000 * MEGABYTE


def test_a_service_is_limited_by_its_own_group(tmp_path: Path) -> None:
    write_machine(tmp_path, 3000, "/system.slice/tutor-engine.service")
    write_group(tmp_path, "system.slice/tutor-engine.service", 2048, 600, reclaimable=100)
    write_group(tmp_path, "system.slice", None, 2900)
    assert available_memory(tmp_path) == (2048 - 600 + 100) * MEGABYTE


def test_an_outer_group_can_have_a_lower_limit(tmp_path: Path) -> None:
    write_machine(tmp_path, 3000, "/class.slice/tutor-engine.service")
    write_group(tmp_path, "class.slice/tutor-engine.service", 2048, 600)
    write_group(tmp_path, "class.slice", 1000, 700)
    assert available_memory(tmp_path) == 300 * MEGABYTE


def test_in_a_container_the_limit_is_at_the_top(tmp_path: Path) -> None:
    write_machine(tmp_path, 3000)
    write_group(tmp_path, "", 512, 500)
    assert available_memory(tmp_path) == 12 * MEGABYTE


@pytest.mark.parametrize("nonsense", ["", "a few", "-"])
def test_files_with_unexpected_contents_are_ignored(tmp_path: Path, nonsense: str) -> None:
    write_machine(tmp_path, 3000, "/a")
    write_group(tmp_path, "a", 1000, 1)
    (tmp_path / "sys/fs/cgroup/a/memory.max").write_text(nonsense)
    assert available_memory(tmp_path) == 3000 * MEGABYTE
    (tmp_path / "proc/meminfo").write_text(nonsense)
    (tmp_path / "proc/self/cgroup").write_text(nonsense)
    instead = available_memory(tmp_path)  # from the C library
    assert instead is None or instead > MEGABYTE
