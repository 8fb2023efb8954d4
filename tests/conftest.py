"""Shared fixtures: where the evaluation material lies, if it lies here at all."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[1].parent / "shared"


def _folder(name: str) -> Path:
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"evaluation material {name!r} is not beside this checkout")
    return folder


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real clips and labelled tracks, for evaluation only."""
    return _folder("data")


@pytest.fixture(scope="session")
def shared_weights() -> Path:
    """Real pretrained weights, for evaluation only."""
    return _folder("weights")
