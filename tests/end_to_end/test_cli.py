"""The command line: options, output, exit codes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.conftest import Vcn
from tests.drawn import FLAGS, FakeModels, snapshot
from videoclusternet import open_run
from videoclusternet.config import Config
from videoclusternet.models.registry import MODELS
from videoclusternet.types import Table

ROOT = Path(__file__).resolve().parents[2]
STEPS = [
    "video", "scan", "shots", "tracks", "crops", "embeddings", "judgement", "views", "links", "cast"
]  # fmt: skip


def real(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "videoclusternet", *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        timeout=120,
        cwd=cwd,
    )


def test_version(vcn: Vcn) -> None:
    outcome = vcn("--version")
    assert (outcome.code, outcome.out) == (0, f"vcn {version('videoclusternet')}\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["-h"],
        *[[name, "-h"] for name in ("cluster", "cluster-tracks", "show", "score", "demo")],
        *[[name, "-h"] for name in ("settings", "models")],
        ["models", "show", "-h"],
        ["models", "verify", "-h"],
        ["models", "pull", "-h"],
    ],
    ids=" ".join,
)
def test_help(vcn: Vcn, arguments: list[str]) -> None:
    outcome = vcn(*arguments)
    assert outcome.code == 0 and outcome.err == ""
    assert outcome.out.startswith("Usage: ") and "vcn" in outcome.out.splitlines()[0]


@pytest.mark.parametrize(
    "arguments",
    [
        ["cluster"],
        ["cluster", "film.mp4", "--nonsense"],
        ["nonsense"],
        ["show"],
        ["score", "run"],
        ["show", "a", "b"],
    ],
    ids=" ".join,
)
def test_wrong_usage_gives_2(vcn: Vcn, arguments: list[str]) -> None:
    outcome = vcn(*arguments)
    assert outcome.code == 2 and outcome.out == "" and "Error: " in outcome.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--set", "cluster.nonsense=1"], "cluster.nonsense"),
        (["--set", "nonsense=1"], "nonsense"),
        (["--set", "cluster.draws=none"], "cluster.draws"),
        (["--set", "cluster.draws"], "cluster.draws"),
        (["--profile", "fast"], "no profile 'fast'"),
        (["--config", "gone.toml"], "gone.toml"),
        (["--fps", "fast"], "the rate is 'fast'"),
        (["--fps", "1/0"], "the rate is '1/0'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_setting_gives_2_and_is_named(
    vcn: Vcn,
    drawn_film: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = vcn("cluster", drawn_film, *arguments)
    assert outcome.code == 2 and words in outcome.complaint
    assert snapshot(tmp_path) == {}


@pytest.mark.usefixtures("fake_models")
class TestCluster:
    """``vcn cluster`` on the drawn film."""

    def test_prints_the_cast_and_where_the_page_is(
        self, vcn: Vcn, drawn_film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        outcome = vcn("cluster", drawn_film, *FLAGS)
        assert outcome.code == 0
        assert "Character 1" in outcome.out and "Character 2" in outcome.out
        # Long paths may be broken by the terminal, this one must not be.
        assert f"page: {tmp_path / 'drawn.vcn' / 'cast.html'}" in outcome.out.splitlines()
        assert "Finding shots and faces" in outcome.err
        again = vcn("cluster", drawn_film, *FLAGS)
        assert again.out == outcome.out
        assert again.err.count("already done") == len(STEPS)

    def test_quiet_prints_nothing(self, vcn: Vcn, drawn_film: Path, tmp_path: Path) -> None:
        for _ in range(2):
            outcome = vcn("cluster", drawn_film, "--quiet", "-o", tmp_path / "run", *FLAGS)
            assert (outcome.code, outcome.out, outcome.err) == (0, "", "")

    def test_log_json_gives_one_event_a_line(
        self, vcn: Vcn, drawn_film: Path, tmp_path: Path
    ) -> None:
        outcome = vcn("cluster", drawn_film, "--log-json", "-o", tmp_path / "run", *FLAGS)
        events = [json.loads(line) for line in outcome.err.splitlines()]
        assert [e["step"] for e in events if e["kind"] == "start"] == STEPS
        assert [e["step"] for e in events if e["kind"] == "done"] == STEPS
        assert all(e["data"]["seconds"] >= 0 for e in events if e["kind"] == "done")
        for step in STEPS:
            done = [e["done"] for e in events if e["step"] == step and e["kind"] == "progress"]
            assert done == sorted(done), step
        scan = [e for e in events if e["step"] == "scan" and e["kind"] == "progress"]
        assert scan[-1]["done"] == scan[-1]["total"] == 72 and scan[-1]["unit"] == "frames"
        assert "Character 1" in outcome.out
        quiet = vcn("cluster", drawn_film, "--log-json", "-q", "-o", tmp_path / "run", *FLAGS)
        assert quiet.out == ""
        kinds = [json.loads(line)["kind"] for line in quiet.err.splitlines()]
        assert kinds == ["cached"] * len(STEPS)

    def test_settings_from_everywhere_are_recorded(
        self, vcn: Vcn, drawn_film: Path, tmp_path: Path
    ) -> None:
        toml = tmp_path / "my.toml"
        toml.write_text(
            "profile = 'paper'\ndevice = 'cuda'\n"
            "[cluster]\nmetric = 'cosine'\n[faces]\nstride = 4\n"
            "[adapt]\nrounds = 1\nepochs = 1\nlater_epochs = 1\n"
        )
        run = tmp_path / "run"
        outcome = vcn(
            "cluster", drawn_film, "-q", "-o", run, "--config", toml,
            "--set", "faces.stride=6", "--set", "seed=9", "--device", "cpu",
        )  # fmt: skip
        assert outcome.code == 0
        config = Config.model_validate(json.loads((run / "run.json").read_text())["config"])
        assert config.profile == "paper" and config.cluster.algorithm == "paper"
        assert config.cluster.metric == "cosine" and config.device == "cpu"
        assert config.faces.stride == 6 and config.seed == 9 and config.adapt.epochs == 1
        faces = open_run(run).films[0].faces
        assert faces is not None and faces.stride == 6

    def test_run_json_tells_how_the_run_was_made(
        self, vcn: Vcn, drawn_film: Path, tmp_path: Path
    ) -> None:
        run = tmp_path / "run"
        assert vcn("cluster", drawn_film, "-q", "-o", run, *FLAGS).code == 0
        manifest = json.loads((run / "run.json").read_text())
        assert manifest["films"][0]["path"] == str(drawn_film)
        assert manifest["versions"]["videoclusternet"] == version("videoclusternet")
        assert list(sorted(manifest["steps"])) == sorted(STEPS)
        tables = [name for step in manifest["steps"].values() for name in step["tables"]]
        # Of a profile that adapts, of unfinished parts, of larger films, of runs with a library.
        others = {"epochs", "rounds", "notes", "transitions", "gallery", "suggested"}
        others |= {"detector_sizes"}
        assert sorted(tables) == sorted({kind.FILE for kind in Table.__subclasses__()} - others)

    def test_missing_device(self, vcn: Vcn, drawn_film: Path, tmp_path: Path) -> None:
        outcome = vcn("cluster", drawn_film, "-q", "-o", tmp_path / "run", "--device", "tpu")
        assert outcome.code == 4 and "no device 'tpu'" in outcome.complaint


def test_settings_lists_every_setting(vcn: Vcn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    outcome = vcn("settings")
    assert outcome.code == 0
    names = [line.split()[0] for line in outcome.out.splitlines()[1:] if line.strip()]
    expected = []
    for step in Config.model_fields:
        value = getattr(Config(), step)
        inner = getattr(type(value), "model_fields", None)
        expected += [f"{step}.{key}" for key in inner] if inner else [step]
    assert names == expected
    for name in names:  # every printed name is accepted
        key = name.split(".")
        value = Config()
        for part in key:
            value = getattr(value, part)
        Config.load(settings=[f"{name}={json.dumps(value)}"])
    assert "[P]" in outcome.out


def test_models_is_a_table_of_80_columns(vcn: Vcn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    outcome = vcn("models")
    assert outcome.code == 0
    head, *rest = outcome.out.split("\n\ndefaults")[0].splitlines()
    rows = {line.split()[0]: line for line in rest if line.strip()}
    assert set(MODELS) <= set(rows) and len(rows) == len([r for r in rest if r.strip()])
    assert max(map(len, rest)) <= 80
    for name, spec in MODELS.items():
        assert rows[name][head.index("commercial") :].split()[0] == spec.commercial
        assert rows[name][head.index("licence") :].rstrip() == spec.licence
    assert "defaults, installed with the program: mtcnn, dlib" in outcome.out


def test_models_show_tells_all_of_one(
    vcn: Vcn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VCN_CACHE", str(tmp_path))
    outcome = vcn("models", "show", "edgeface-xs")
    (file,) = MODELS["edgeface-xs"].files
    lines = outcome.out.splitlines()
    for word in ("unclear", file.sha256, file.source, str(tmp_path / file.name), "missing"):
        assert any(line.endswith(word) for line in lines), word
    assert "BSD-3-Clause" in outcome.out and "CC BY-NC-SA 4.0" in outcome.out
    outcome = vcn("models", "show", "nobody")
    assert outcome.code == 4 and "no model named" in outcome.complaint


def test_models_as_json_are_described(vcn: Vcn) -> None:
    listed = json.loads(vcn("models", "--json").out)
    assert [row["name"] for row in listed] == list(MODELS)
    text = (ROOT / "docs" / "formats.md").read_text("utf-8")
    described = text.partition("### `vcn models --json`")[2].partition("\n### ")[0]
    assert set(listed[0]) == set(re.findall(r"^\| `(\w+)` \|", described, re.MULTILINE))
    assert all(set(file) == {"name", "path", "sha256", "source"} for file in listed[0]["files"])
    (dlib,) = [row for row in listed if row["name"] == "dlib"]
    assert dlib["default"] and dlib["present"] and dlib["commercial"] == "yes"


def test_models_verify(vcn: Vcn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VCN_CACHE", str(tmp_path))
    outcome = vcn("models", "verify")
    assert outcome.code == 0
    assert "ok       mtcnn" in outcome.out and "missing  yunet" in outcome.out
    (tmp_path / MODELS["yunet"].files[0].name).write_bytes(b"something else")
    outcome = vcn("models", "verify")
    assert outcome.code == 4 and "WRONG    yunet" in outcome.out
    assert "WRONG" in outcome.complaint


def test_pull_of_an_unknown_model(vcn: Vcn) -> None:
    outcome = vcn("models", "pull", "arcface-r9000", "-q")
    assert outcome.code == 4 and "arcface-r9000" in outcome.complaint


def test_demo_keeps_its_film_and_runs_it(
    vcn: Vcn, fake_models: FakeModels, drawn_film: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "demo"
    folder.mkdir()
    (folder / "demo.mp4").write_bytes(drawn_film.read_bytes())
    outcome = vcn("demo", "-o", folder, "--no-open")
    assert outcome.code == 0 and "Character 1" in outcome.out
    assert (folder / "demo.mp4").read_bytes() == drawn_film.read_bytes()
    assert (folder / "demo.vcn" / "cast.html").exists()


def test_demo_where_nothing_can_be_written(vcn: Vcn, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    outcome = vcn("demo", "-o", tmp_path / "file", "-q")
    assert outcome.code == 5 and "cannot write" in outcome.complaint


# --- real processes --------------------------------------------------------------------


def test_real_process_refuses_with_one_line(tmp_path: Path) -> None:
    done = real("cluster", "gone.mp4", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == "vcn: no such film: gone.mp4 (check the path)\n"
    done = real("show", "gone.vcn", cwd=tmp_path)
    assert done.returncode == 5 and len(done.stderr.splitlines()) == 1


def test_real_process_shows_a_run(drawn_run: Path) -> None:
    done = real("show", drawn_run, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(json.loads(done.stdout)) == 2


def test_library_can_be_imported_without_the_heavy_parts() -> None:
    code = (
        "import sys, videoclusternet, videoclusternet.cli.main;"
        "print([m for m in ('torch', 'cv2', 'av', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
