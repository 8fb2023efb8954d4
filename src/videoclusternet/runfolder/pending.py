"""A change of many files of a run folder, made as a whole or not at all.

New files are written into ``.forgetting.tmp/``, in which they lie as in the run folder.  Renaming
it to ``forgetting/`` decides: before that nothing has changed, and what was begun is swept away;
from then on whoever opens the folder finishes first, so that nobody sees a half.  Each step of
that can be done again, and the folder goes last.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

from videoclusternet.errors import StoreError
from videoclusternet.runfolder.files import present, sync, sync_folder, writing

PENDING = "forgetting"
"""Folder of new files that are to take their places."""
BEGUN = f".{PENDING}.tmp"
"""The same before it is whole."""
LEARNT = "adapt"
REMOVED = (
    LEARNT,
    "rounds.parquet",
    "epochs.parquet",
    "parts",
    "recluster",
    "cast.html",
    "report.html",
    "learning.svg",
)
"""What may show anybody, and is not written anew: learnt models and their embeddings, parts of
unfinished steps, clusterings of before, pages."""
PREVIEWS = "preview-*.mp4"
FILMS = "films"
"""Folder of the films of a run over several."""
PATIENCE = 10.0
"""Seconds to wait for whoever is finishing."""


@contextmanager
def changing(folder: Path) -> Iterator[Path]:
    """Make the folder that new files are written to; where all went well they are decided on.

    Whoever calls holds the run folder, and calls :func:`finish` next.

    Raises
    ------
    StoreError
        When the run folder cannot be written: nothing has changed.
    """
    begun = folder / BEGUN
    with writing(folder):
        shutil.rmtree(begun, ignore_errors=True)
        begun.mkdir()
    try:
        yield begun
        with writing(folder):
            for home, _, names in os.walk(begun, topdown=False):
                for name in names:
                    sync(Path(home, name))
                sync_folder(Path(home))
            os.replace(begun, folder / PENDING)
            sync_folder(folder)
    finally:
        shutil.rmtree(begun, ignore_errors=True)


def is_pending(folder: Path) -> bool:
    """Whether a change was decided on and is not finished."""
    try:
        return present(folder / PENDING)
    except OSError:
        return False


def recover(folder: Path) -> None:
    """Finish what an ended process had decided on; most folders hold nothing of the kind.

    Raises
    ------
    StoreError
        When somebody else is at it for long, or the folder cannot be written.
    """
    if not is_pending(folder):
        return
    lock = filelock.FileLock(folder / "lock")
    with writing(folder):
        try:
            lock.acquire(timeout=PATIENCE)
        except filelock.Timeout:
            raise StoreError(
                f"somebody is being forgotten in {folder}", "try again in a moment"
            ) from None
    try:
        finish(folder)
    finally:
        lock.release()


def finish(folder: Path) -> None:
    """Let new files take their places and delete what was left; the folder has to be held.

    Raises
    ------
    StoreError
        When it cannot be done: the next one who opens the folder tries again.
    """
    if not is_pending(folder):
        return
    with writing(folder):
        homes = [folder, *(folder / FILMS).glob("*")]
        for path in (folder / PENDING, folder / FILMS, *homes[1:]):
            if path.is_symlink():
                raise StoreError(f"{path} is a link to elsewhere", "start a new run folder")
        new = sorted(p for p in (folder / PENDING).rglob("*") if p.is_file() or p.is_symlink())
        for path in new:
            place = folder / path.relative_to(folder / PENDING)
            if place.parent not in homes:
                raise StoreError(f"{path} is none of ours", "start a new run folder")
            os.replace(path, place)
        for home in homes:
            if home.is_dir():
                _remove(home)
                sync_folder(home)
        shutil.rmtree(folder / PENDING)
        sync_folder(folder)


def _remove(home: Path) -> None:
    """Delete what is not written anew; of a link the link, not where it leads."""
    for path in (*(home / name for name in REMOVED), *home.glob(PREVIEWS), *home.glob(".*.tmp")):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
