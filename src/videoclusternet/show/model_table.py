"""The models as a table: licence, size, present or not; and whether their files are right."""

from __future__ import annotations

from videoclusternet.errors import ModelError
from videoclusternet.models.registry import (
    MODELS,
    cache_folder,
    expected_path,
    known_hash,
    sha256_of,
)
from videoclusternet.outside.text import say
from videoclusternet.show.terminal import print_table, table_of


def print_models() -> None:
    """Print the registry."""
    table = table_of("name", "kind", "size", "licence", "state", "what", left=6)
    for spec in MODELS.values():
        size, state = 0, "present"
        for file in spec.files:
            try:
                path = expected_path(file)
            except ModelError:
                path = None
            if path is None or not path.is_file():
                state = "missing"
                break
            size += path.stat().st_size
        table.add_row(
            spec.name,
            spec.kind,
            f"{size / 1e6:.1f} MB" if size else "",
            spec.licence + ("" if spec.commercial else " (non-commercial)"),
            state,
            f"{spec.title}; {spec.note}" if spec.note else spec.title,
        )
    print_table(table)
    say("", f"fetched models lie in {cache_folder()}")


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
            if not path.is_file():
                say(f"missing  {spec.name}: {path}")
                continue
            found, expected = sha256_of(path), known_hash(spec, file)
            right &= expected in ("", found)
            # Nobody published a hash for a new one; it is noted at first use.
            state = "new" if not expected else "ok" if found == expected else "WRONG"
            say(f"{state:<7}  {spec.name}: {path} {found}")
    return right
