"""What holds for every test."""

import pytest

SLOW_LIMIT = 1200
"""Seconds for a slow test; `timeout` in pyproject.toml is for all others."""


def pytest_collection_modifyitems(items):
    """Give slow tests a longer limit of time, unless they name their own."""
    for item in items:
        if item.get_closest_marker("slow") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(SLOW_LIMIT))
