"""The profiles: which settings they change, others stay at their defaults."""

from __future__ import annotations

from typing import Any

PROFILES: dict[str, dict[str, Any]] = {
    "instant": {"profile": "instant"},
    "vcn": {
        "profile": "vcn",
        "adapt": {
            "rounds": 2,
            "head": "none",
            "teacher_head": "copy",
            "objective": "groups",
            "pairs": "groups",
            "own_share": 0.5,
            "teacher_temperature": 0.1,
            "student_temperature": 0.2,
            "update": "step",
            "momentum": 0.9,
            "epochs": 24,
            "later_epochs": 12,
            "head_epochs": 0,
            "warmup": 1,
            "rate": 1e-5,
            "rate_start": 1e-6,
            "rate_end": 1e-5,
            "decay": 0.0,
            "batch": 16,
            "anchors": 1,
        },
    },
    "paper": {
        "profile": "paper",
        "embed": {"mirror": False},
        "matching": {"covariance": "full", "centred": False},
        "adapt": {"rounds": 5, "trainable": "all", "head_reads": "film", "stop": 1.0},
        "track_quality": {"spread": "mad"},
        "cluster": {
            "algorithm": "paper",
            "metric": "loss",
            "thresholds": "crops",
            "cannot_link": False,
            "choose": "adapted/or",
            "teacher_temperature": 0.04,
            "student_temperature": 1.0,
        },
    },
}
