"""That no cluster of Ray is where one is to be is said at once: Ray itself waits for minutes."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.jobs import squares
from videoclusternet.engine import on_ray
from videoclusternet.engine.in_parts import split
from videoclusternet.errors import ConfigError


class Ray:
    """Stands in for Ray's module: keeps what it was begun with."""

    def __init__(self, error: Exception | None = None) -> None:
        self.begun: list[dict[str, Any]] = []
        self._error = error

    def init(self, **how: Any) -> None:
        self.begun.append(how)
        if self._error and how["address"] != "local":
            raise self._error


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """An address at which nobody answers, and no cluster of this machine."""
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with socket.socket() as held:  # bound, so that nobody else listens there meanwhile
        held.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{held.getsockname()[1]}"


@pytest.mark.parametrize("where", ["", "auto", "nonsense", ":6379", "here:99999", "::1"])
def test_no_cluster_no_wait(nobody: str, where: str) -> None:
    ray = Ray()
    with pytest.raises(ConfigError, match="there is no Ray cluster at") as told:
        on_ray.connect(ray, where or nobody, "--address local")
    assert ray.begun == []
    assert told.value.advice == "begin one with `ray start --head`, or say --address local"


def test_a_cluster_that_was_killed_is_still_noted(
    nobody: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ray").mkdir()
    (tmp_path / "ray" / "ray_current_cluster").write_text(f"{nobody}\n")
    with pytest.raises(ConfigError, match="at auto: "):
        on_ray.connect(Ray(), "auto", "")
    monkeypatch.setenv("RAY_ADDRESS", "nonsense")
    with pytest.raises(ConfigError, match="HOST:PORT"):
        on_ray.connect(Ray(), "auto", "")


def test_without_an_address_one_of_this_machine_is_begun(nobody: str) -> None:
    ray = Ray()
    assert on_ray.connect(ray, "", "")
    assert on_ray.connect(ray, "local", "")
    assert [how["address"] for how in ray.begun] == ["local", "local"]
    assert all(how["_node_ip_address"] == "127.0.0.1" for how in ray.begun)


def test_who_answers_is_joined_and_what_ray_says_is_passed_on() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        where = f"127.0.0.1:{server.getsockname()[1]}"
        ray = Ray()
        assert not on_ray.connect(ray, where, "")
        assert [how["address"] for how in ray.begun] == [where]
        with pytest.raises(ConfigError, match=f"at {where}: other version"):
            on_ray.connect(Ray(RuntimeError("other version\nmore")), where, "")


def test_the_engine_of_a_film_says_so_too(nobody: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_ray, "load_ray", Ray)
    with on_ray.OnRay(nobody) as engine, pytest.raises(ConfigError, match="no Ray") as told:
        list(engine.map(squares, split(20, 5), lambda *_: None))
    assert "--set engine=ray" in told.value.advice
