import math
import os

import pytest

from spinsqueeze.numerics import processors
from spinsqueeze.numerics.processors import core_shares
from spinsqueeze.run import jobs, local


def test_quotas_of_containers_bound_the_workers(monkeypatch):
    monkeypatch.setenv("NPROC", "6")
    for quota, expected in ((2.5, 3), (8, 6), (0.2, 1), (math.inf, 6)):
        monkeypatch.setattr(jobs, "quota_of_container", lambda quota=quota: quota)
        assert jobs.default_workers() == expected


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({"cpu.max": "150000 100000"}, 1.5),
        ({"cpu.max": "max 100000"}, math.inf),
        ({"cpu.max": "max 100000", "a/b/cpu.max": "300000 100000"}, 3.0),
        ({"cpu/cpu.cfs_quota_us": "200000", "cpu/cpu.cfs_period_us": "100000"}, 2.0),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, math.inf),
        ({}, math.inf),
    ],
)
def test_quotas_are_read_from_control_groups(tmp_path, monkeypatch, files, quota):
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "own").write_text("0::/a/b\n")
    monkeypatch.setattr(processors, "CGROUPS", tmp_path)
    monkeypatch.setattr(processors, "OWN_CGROUP", tmp_path / "own")
    assert processors.quota_of_container() == quota


def test_core_shares_are_disjoint_and_equal():
    available = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    shares = core_shares(1)
    assert shares == ([tuple(sorted(available))] if available else [])
    assert core_shares(len(available) + 1) == []
    each = core_shares(max(1, len(available)))
    assert len({core for share in each for core in share}) == len(available)


@pytest.mark.parametrize("size", ["4 GB", "4e9", 4e9, "4GB", "3906250 KiB"])
def test_sizes_of_memory(size):
    assert local.worker_memory(size, workers=3) == 4_000_000_000
