"""How commands fail: one line, the documented exit code, whatever raised the error."""

from __future__ import annotations

import errno
import inspect
import os
import signal
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Annotated, get_args, get_origin, get_type_hints

import cv2
import numpy as np
import pyarrow as pa
import pytest
import torch
import typer

from tests.conftest import Vcn
from videoclusternet.cli.failures import TRACEBACK, stops
from videoclusternet.cli.main import app, main
from videoclusternet.result import result

SHORTAGES = [
    MemoryError(),
    np._core._exceptions._ArrayMemoryError((10**6, 10**6), np.dtype("f4")),  # type: ignore[attr-defined]
    pa.lib.ArrowMemoryError("malloc of size 1 failed"),
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"),
    cv2.error("OpenCV(5.0) alloc.cpp: error: (-4:Insufficient memory) Failed to allocate"),
]


@pytest.mark.parametrize("error", SHORTAGES, ids=lambda error: type(error).__name__)
def test_too_little_memory(vcn: Vcn, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    _raise(monkeypatch, error)
    outcome = vcn("show", "run")
    assert outcome.code == 7 and "too little memory" in outcome.complaint


@pytest.mark.parametrize(
    ("number", "code"), [(errno.EACCES, 2), (errno.ENAMETOOLONG, 2), (errno.ENOSPC, 5)]
)
def test_what_the_system_refuses(
    vcn: Vcn, monkeypatch: pytest.MonkeyPatch, number: int, code: int
) -> None:
    _raise(monkeypatch, OSError(number, os.strerror(number), "some/file"))
    outcome = vcn("show", "run")
    assert outcome.code == code
    assert f"refuses some/file: {os.strerror(number)}" in outcome.complaint


def test_what_the_system_refuses_without_a_name(vcn: Vcn, monkeypatch: pytest.MonkeyPatch) -> None:
    _raise(monkeypatch, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    complaint = vcn("show", "run").complaint
    assert f"the system refuses: {os.strerror(errno.ENOSPC)}" in complaint


def test_a_defect_is_one_line_and_its_traceback_can_be_had(
    vcn: Vcn, monkeypatch: pytest.MonkeyPatch
) -> None:
    _raise(monkeypatch, TypeError("no\nsuch \x1b thing"))
    outcome = vcn("show", "run")
    assert outcome.code == 1 and "TypeError: no\\nsuch \\x1b thing" in outcome.complaint
    assert TRACEBACK in outcome.complaint
    monkeypatch.setenv(TRACEBACK, "1")
    with pytest.raises(TypeError):
        vcn("show", "run")


def test_what_fails_since_a_key_stopped_it_is_no_defect(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """NumPy, half loaded, calls itself without end."""
    _raise(monkeypatch, RecursionError("maximum recursion depth exceeded"))
    monkeypatch.setattr(sys, "argv", ["vcn", "show", "run"])
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        stopped = stops()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)
    for seen, code, said in ((stopped, 130, "vcn: stopped\n"), ([], 1, "RecursionError")):
        with pytest.raises(SystemExit) as end:
            main(seen)
        assert end.value.code == code and said in capsys.readouterr().err


LOADED = """
import signal, sys
class Key:
    def find_spec(self, name, path=None, target=None):
        if name == {at!r}:
            signal.raise_signal(signal.SIGINT)
signal.signal(signal.SIGINT, signal.{before})
sys.meta_path.insert(0, Key())
sys.argv = ["vcn", "settings"]
from {module} import {function}
{function}()
"""


@pytest.mark.parametrize(
    ("at", "before"),
    [
        ("typer", "default_int_handler"),
        ("videoclusternet.config", "default_int_handler"),
        ("typer", "SIG_IGN"),
    ],
)
def test_a_key_that_comes_as_the_command_line_is_loaded(at: str, before: str) -> None:
    """The script is what pyproject.toml names: its first line may be under way."""
    pyproject = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    module, function = pyproject["project"]["scripts"]["vcn"].split(":")
    code = LOADED.format(at=at, before=before, module=module, function=function)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    stopped = before != "SIG_IGN"
    assert done.returncode == (130 if stopped else 0)
    assert done.stderr == ("vcn: stopped\n" if stopped else "")
    assert ("faces.detector" in done.stdout) is not stopped


def _raise(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def raising(folder: Path) -> None:
        raise error

    monkeypatch.setattr(result, "open_run", raising)


def test_no_argument_reaches_the_terminal_raw(vcn: Vcn) -> None:
    for arguments in (["show", "a", "b\x1b[2J"], ["show\x1b[2J"], ["show", "--\x1b[2J"]):
        outcome = vcn(*arguments)
        assert outcome.code == 2 and "\\x1b[2J" in outcome.err and "\x1b" not in outcome.err


def test_no_path_is_judged_by_the_command_line_itself() -> None:
    """It would end in 2 with a usage text, whatever the path was of."""
    judged, seen = [], 0
    for function in _functions(app):
        for name, hint in get_type_hints(function, include_extras=True).items():
            if get_origin(hint) is Annotated and "Path" in str(get_args(hint)[0]):
                seen += 1
                info = get_args(hint)[1]
                if info.readable or info.exists:
                    judged.append(f"{inspect.getmodule(function)}.{function.__name__}: {name}")
    assert judged == [] and seen > 30


@pytest.mark.parametrize(
    "arguments", [("batch", "", "-o", "out"), ("library", "people", ""), ("cluster", "f", "-o", "")]
)
def test_a_path_that_is_empty_is_not_this_folder(
    vcn: Vcn, arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = vcn(*arguments)
    assert outcome.code == 2 and "a path is empty" in outcome.err
    assert not any(tmp_path.iterdir())


def _functions(app: typer.Typer) -> list[object]:
    own = [info.callback for info in app.registered_commands]
    inner = [f for group in app.registered_groups for f in _functions(group.typer_instance)]
    return [*own, *inner]
