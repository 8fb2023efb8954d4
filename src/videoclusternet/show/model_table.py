"""The models as a table; all about one; and whether their files are right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from videoclusternet.errors import ModelError
from videoclusternet.models.registry import (
    MODELS,
    ModelSpec,
    WeightFile,
    cache_folder,
    expected_path,
    find,
    known_hash,
    sha256_of,
)
from videoclusternet.outside.files import is_file
from videoclusternet.outside.text import say
from videoclusternet.show.terminal import print_json, print_table, table_of


def print_models(as_json: bool) -> None:
    """Print the registry: detectors, then backbones."""
    if as_json:
        print_json([_as_dict(spec) for spec in MODELS.values()])
        return
    table = table_of("model", "file", "commercial", "licence", left=4)
    table.columns[1].justify = "right"
    for kind in ("detector", "backbone"):
        if table.rows:
            table.add_row()
        table.add_row(f"{kind}s", style="bold")
        for spec in MODELS.values():
            if spec.kind == kind:
                table.add_row(spec.name, _size(spec), spec.commercial, spec.licence)
    print_table(table)
    inside = [spec.name for spec in MODELS.values() if _embedded(spec)]
    say("", f"defaults, installed with the program: {', '.join(inside)}")
    print("all about one: vcn models show NAME; to fetch it: vcn models pull NAME")
    say(f"fetched files lie in {cache_folder()}")


def print_model(name: str) -> None:
    """Print all that is known of one model.

    Raises
    ------
    ModelError
        For a name that is not in the registry.
    """
    spec, _ = find(name)
    rows = {
        "model": spec.name,
        "kind": spec.kind,
        "what": spec.title,
        "values": f"{spec.dim} a face" if spec.dim else "",
        "licence": spec.licence,
        "commercial": spec.commercial,
        "note": spec.note,
        "input": f"{spec.size or 'any'} px, {spec.channels}",
    }
    _print_pairs(rows)
    for file in spec.files:
        path = _path(file)
        print()
        _print_pairs(
            {
                "file": file.name,
                "size": _state(path),
                "place": "" if path is None else str(path),
                "sha256": file.sha256 or "noted at first use",
                "source": file.source.removeprefix("user:"),
            }
        )


def _print_pairs(pairs: dict[str, str]) -> None:
    """Print keys and values; addresses and hashes stay in one piece, to be copied."""
    for key, value in pairs.items():
        if value:
            print(f"{key:<10}  {value}")


def _as_dict(spec: ModelSpec) -> dict[str, Any]:
    return {
        "name": spec.name,
        "kind": spec.kind,
        "title": spec.title,
        "licence": spec.licence,
        "commercial": spec.commercial,
        "note": spec.note,
        "default": _embedded(spec),
        "present": _present(spec),
        "files": [
            {
                "name": file.name,
                "path": None if (path := _path(file)) is None else str(path),
                "sha256": file.sha256 or None,
                "source": file.source,
            }
            for file in spec.files
        ],
    }


def _embedded(spec: ModelSpec) -> bool:
    return all(file.source.startswith("package:") for file in spec.files)


def _path(file: WeightFile) -> Path | None:
    """Where a file should lie; None where its package is not installed."""
    try:
        return expected_path(file)
    except ModelError:
        return None


def _state(path: Path | None) -> str:
    return "missing" if path is None or not is_file(path) else _megabytes(path.stat().st_size)


def _present(spec: ModelSpec) -> bool:
    return all(_state(_path(file)) != "missing" for file in spec.files)


def _size(spec: ModelSpec) -> str:
    if not _present(spec):
        return "missing"
    return _megabytes(sum(p.stat().st_size for f in spec.files if (p := _path(f))))


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


def verify_models() -> bool:
    """Check the hash of every present file; False when one is wrong."""
    right = True
    for spec in MODELS.values():
        for file in spec.files:
            try:
                path = expected_path(file)
            except ModelError as error:
                say(f"missing  {spec.name}: {error}")
                continue
            if not is_file(path):
                say(f"missing  {spec.name}: {path}")
                continue
            found, expected = sha256_of(path), known_hash(spec, file)
            right &= expected in ("", found)
            # Nobody published a hash for a new one; it is noted at first use.
            state = "new" if not expected else "ok" if found == expected else "WRONG"
            say(f"{state:<7}  {spec.name}: {path} {found}")
    return right
