"""What a batch keeps of a run beside its folder, faces and names; made again where it is not."""

from __future__ import annotations

from pathlib import Path

from videoclusternet.runfolder.files import writing

RECORDS = "batch.jsonl"
"""Tells the folder of a batch."""
PAGE, CASTS, SUMMARIES = "batch.html", "casts.parquet", "summaries"


def summary_path(run: Path) -> Path:
    """Return where a batch keeps what it takes from a run."""
    return run.parent / SUMMARIES / f"{run.name}.json"


def drop(run: Path) -> None:
    """Delete what a batch holds of a run, if it is of one: the next `vcn batch` makes it again.

    Raises
    ------
    StoreError
        When it cannot be deleted.
    """
    run = run.resolve()
    if (run.parent / RECORDS).is_file():
        for path in (run.parent / PAGE, run.parent / CASTS, summary_path(run)):
            with writing(path):
                path.unlink(missing_ok=True)
