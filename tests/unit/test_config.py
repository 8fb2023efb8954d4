"""Settings: where they come from, which one wins, and what is said about a wrong one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from videoclusternet.config import PROFILES, Config, Params
from videoclusternet.errors import ConfigError


def test_defaults_are_the_instant_profile() -> None:
    assert Config.load() == Config() == Config.load("auto") == Config.load("instant")


def test_paper_profile() -> None:
    paper = Config.load("paper")
    assert paper.profile == "paper" and paper.cluster.algorithm == "paper"
    assert paper.matching.covariance == "full" and not paper.embed.mirror
    assert paper.adapt.rounds == 5 and paper.adapt.head == "mlp"
    assert set(PROFILES) == {"instant", "vcn", "paper"}


def test_order_of_authority(tmp_path: Path) -> None:
    file = tmp_path / "my.toml"
    file.write_text("[cluster]\nmetric = 'euclidean'\ndraws = 5\n[faces]\nstride = 2\n")
    config = Config.load("paper", file, ["cluster.draws=7", "faces.stride=4", "faces.stride=6"])
    assert config.cluster.metric == "euclidean"  # file over profile
    assert config.cluster.draws == 7  # setting over file
    assert config.faces.stride == 6  # the last one
    assert config.cluster.algorithm == "paper"  # profile over default
    assert config.cluster.student_temperature == 1.0


def test_profile_from_the_file(tmp_path: Path) -> None:
    file = tmp_path / "my.toml"
    file.write_text("profile = 'paper'\nseed = 3\n")
    assert Config.load("auto", file).cluster.algorithm == "paper"
    assert Config.load("instant", file).cluster.algorithm == "vcn"
    assert Config.load("auto", file).seed == 3


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("seed=4", 4),
        ("device=cpu", "cpu"),
        ("device='cpu'", "cpu"),
        ("cluster.choose=frozen/or+null", "frozen/or+null"),
        ("cluster.cannot_link=false", False),
        ("cluster.scale=1", 1.0),
        ("quality.min_size=4.5e1", 45.0),
        (" faces.part = 200", 200),
        ("embed.backbone=edgeface-xs=/my folder/x=1.pt", "edgeface-xs=/my folder/x=1.pt"),
    ],
)
def test_setting_on_the_command_line(setting: str, value: object) -> None:
    found: object = Config.load(settings=[setting])
    for part in setting.partition("=")[0].strip().split("."):
        found = getattr(found, part)
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("cluster.nonsense=1", "cluster.nonsense"),
        ("nonsense=1", "nonsense"),
        ("nonsense.key=1", "nonsense"),
        ("cluster.metric.deeper=1", "cluster.metric"),
        ("cluster=5", "cluster"),
        ("cluster.draws=many", "cluster.draws"),
        ("cluster.draws=1", "cluster.draws"),
        ("cluster.draws=2.5", "cluster.draws"),
        ("cluster.metric=manhattan", "cluster.metric"),
        ("quality.min_size=0", "quality.min_size"),
        ("quality.min_size=nan", "quality.min_size"),
        ("faces.min_score=1.1", "faces.min_score"),
        ("cluster.draws", "cluster.draws"),
        ("seed=-1", "seed"),
        ("seed=4294967296", "seed"),
        ("seed=" + "9" * 5000, "seed"),
        ("adapt.rate=inf", "adapt.rate"),
        ("adapt.rate=1e300", "adapt.rate"),
        ("adapt.rate_end=nan", "adapt.rate_end"),
        ("adapt.pool=[100, 4]", "adapt.pool"),
        ("adapt.stop=" + "[" * 100_000, "adapt.stop"),
        ("cluster.teacher_temperature=1e-300", "cluster.teacher_temperature"),
        ("faces.part=" + "1" + "0" * 30, "faces.part"),
        ("faces.batch=100000", "faces.batch"),
        ("embed.local_views=1000", "embed.local_views"),
        ("processes=100000", "processes"),
        ("quality.min_aspect=3", "min_aspect should be at most max_aspect"),
        ('embed.backbone="onnx=a\\u0000b"', "embed.backbone"),
        ("=5", "=5"),
        ("", "''"),
        ("a..b=1", "a"),
        ("a" * 100_000 + "=1", "aaa"),
        (".".join("a" * 100_000) + "=1", "a"),
    ],
    ids=lambda value: value[:40],
)
def test_wrong_setting_is_named(setting: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Config.load(settings=[setting])
    assert words in caught.value.message and "\n" not in str(caught.value)
    assert caught.value.advice and len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (["adapt.tokens=shared", "adapt.objective=looks"], "adapt.objective=eq2"),
        (["adapt.tokens=separate", "adapt.trainable=head"], "all or last-stage"),
        (["adapt.objective=looks"], "looks needs adapt.head=none"),
        (["adapt.relative=true", "adapt.head=residual"], "begins at zero"),
    ],
)
def test_settings_that_do_not_go_together(settings: list[str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Config.load(settings=settings)


def test_flags_are_taken_as_they_are() -> None:
    for name in ("onnx=😀.onnx", "onnx=\udcff.onnx", "onnx=\n\t\x1b='\".onnx"):
        assert Config.load(flags={"embed.backbone": name}).embed.backbone == name
    found = Config.load(settings=["device=cpu"], flags={"device": "cuda", "seed": 3})
    assert found.device == "cuda" and found.seed == 3


def test_setting_that_makes_a_table_of_a_value() -> None:
    with pytest.raises(ConfigError, match="'cluster'"):
        Config.load(settings=["cluster=5", "cluster.draws=3"])


def test_unknown_profile() -> None:
    with pytest.raises(ConfigError, match=r"no profile 'fast'.*auto, instant, vcn, paper"):
        Config.load("fast")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"cluster = [", "is not valid TOML"),
        (b"\xff\xfe", "is not a text file"),
        (b"[cluster]\nnonsense = 1", "cluster.nonsense"),
        (b"cluster = 1", "cluster"),
        (b"profile = 5", "no profile '5'"),
        (b"[cluster]\ndraws = 1979-05-27", "cluster.draws"),
        (b"a = " + b"[" * 100_000, "is not valid TOML"),
        (b"seed = " + b"9" * 5000, "is not valid TOML"),
        (b"a." * 500_000 + b"a = 1", "so many dots"),
        (b"#" * 2_000_000, "more than 1,048,576 bytes"),
    ],
)
def test_wrong_file_is_named(tmp_path: Path, text: bytes, words: str) -> None:
    file = tmp_path / "my.toml"
    file.write_bytes(text)
    with pytest.raises(ConfigError) as caught:
        Config.load("auto", file)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "my.toml")
    with pytest.raises(ConfigError, match=r"my\.toml: it is no file of data"):
        Config.load("auto", tmp_path / "my.toml")


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read .*gone\.toml"):
        Config.load("auto", tmp_path / "gone.toml")
    with pytest.raises(ConfigError, match="cannot read"):
        Config.load("auto", tmp_path)


def test_profile_as_a_setting_means_the_whole_profile() -> None:
    assert Config.load(settings=["profile=paper"]) == Config.load("paper")
    assert Config.load("paper", settings=["profile=instant"]) == Config.load("paper")
    mixed = Config.load(settings=["cluster.draws=3", "profile=paper"])
    assert mixed.cluster.draws == 3 and mixed.cluster.algorithm == "paper"


def test_loading_leaves_the_profiles_alone() -> None:
    Config.load("paper", settings=["cluster.draws=3", "embed.mirror=true"])
    assert Config.load("paper").cluster.draws == Config().cluster.draws
    assert not Config.load("paper").embed.mirror


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Config().seed = 3  # type: ignore[misc]


def test_every_number_is_bounded_or_free_on_purpose() -> None:
    """Every setting can be dumped and read back: run.json records all of them."""
    for name in PROFILES:
        config = Config.load(name)
        assert Config.model_validate_json(config.model_dump_json()) == config
    for step, field in Config.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, Params):
            assert inner.model_fields, step
