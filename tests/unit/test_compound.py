"""Compound files, read back by pyaaf2, and their tables looked at number by number."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import pytest
from aaf2.cfb import CompoundFileBinary
from hypothesis import given, settings
from hypothesis import strategies as st

from videoclusternet.errors import ConfigError
from videoclusternet.export.timelines.compound import SECTOR, Storage, compound_file

SIGNATURE = bytes(range(16))
names = st.text("abcXYZ{}-019 ", min_size=1, max_size=20)
bodies = st.sampled_from([0, 1, 63, 64, 65, 4095, 4096, 4097, 9000]).map(
    lambda size: bytes(n % 251 for n in range(size))
)
storages = st.recursive(
    st.builds(Storage, st.binary(min_size=16, max_size=16)),
    lambda inner: st.builds(
        Storage,
        st.binary(min_size=16, max_size=16),
        st.lists(
            st.tuples(names, bodies | inner), max_size=9, unique_by=lambda one: one[0].upper()
        ).map(dict),
    ),
    max_leaves=12,
)


def written(root: Storage) -> bytes:
    return b"".join(compound_file(root, SIGNATURE))


def opened(content: bytes) -> CompoundFileBinary:
    """What pyaaf2 makes of it; plain ``BytesIO`` it would take for a file to be written."""
    return CompoundFileBinary(io.BufferedReader(io.BytesIO(content)), "rb")


def read(file: CompoundFileBinary, entry: Any) -> Storage:
    kind = bytes(entry.class_id.bytes_le) if entry.class_id else bytes(16)
    return Storage(
        kind,
        {
            one.name: read(file, one) if one.isdir() else bytes(file.open(one).read())
            for one in file.listdir(entry)
        },
    )


def all_belongs_to_one(content: bytes) -> None:
    """Every sector belongs to one chain, and every folder is a red-black tree."""
    file = opened(content)
    assert len(content) % SECTOR == 0 and file.class_id.bytes_le == SIGNATURE
    table = [file.fat[n] for n in range(len(content) // SECTOR - 1)]
    assert set(file.fat[len(table) :]) <= {0xFFFFFFFF}
    used = [n for n, after in enumerate(table) if after == 0xFFFFFFFD]
    starts = [file.dir_sector_start, file.minifat_sector_start, file.root.sector_id]
    small_used: list[int] = []
    for _, _, streams in file.walk():
        for one in streams:
            if one.byte_size < SECTOR:
                small_used += file.get_fat_chain(one.sector_id, True) if one.byte_size else []
            else:
                starts.append(one.sector_id)
    for start in starts:
        used += file.get_fat_chain(start) if start is not None else []
    assert sorted(used) == list(range(len(table)))
    assert sorted(small_used) == list(range(file.root.byte_size // 64))
    for folder, _, _ in file.walk():
        top = folder.child()
        assert top is None or not top.red
        heights_of(top)


def heights_of(entry: Any) -> tuple[int, list[tuple[int, str]]]:
    """Black entries on every way down, and the names in order."""
    if entry is None:
        return 1, []
    (one, before), (other, after) = heights_of(entry.left()), heights_of(entry.right())
    own = len(entry.name), entry.name.upper()
    assert one == other
    assert not entry.red or not any(side and side.red for side in (entry.left(), entry.right()))
    assert all(name < own for name in before) and all(own < name for name in after)
    return one + (not entry.red), [*before, own, *after]


@given(storages)
@settings(max_examples=60, deadline=None)
def test_what_was_put_in_is_read(root: Storage) -> None:
    content = written(root)
    file = opened(content)
    assert read(file, file.root) == root
    all_belongs_to_one(content)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 8, 31, 32, 1000])
def test_folders_of_any_size_are_trees(count: int) -> None:
    root = Storage(parts={f"Slots-4403{{{n:x}}}": Storage() for n in range(count)})
    content = written(root)
    assert list(read(opened(content), opened(content).root).parts.keys() ^ root.parts.keys()) == []
    all_belongs_to_one(content)


def test_one_storage_may_lie_in_several() -> None:
    shared = Storage(bytes(range(16)), {"properties": b"abc"})
    root = Storage(parts={"a": shared, "b": Storage(parts={"c": shared})})
    file = opened(written(root))
    assert read(file, file.root) == root
    assert root.at("/b/c") is shared


@pytest.mark.slow
def test_a_file_whose_tables_the_header_cannot_name(tmp_path: Path) -> None:
    body = bytes(1 << 20)
    sizes = {f"{n}": len(body) for n in range(470)} | {"said": 5000}
    root = Storage(parts={name: body for name in sizes} | {"said": b"x" * 5000})
    path = tmp_path / "large"
    with path.open("wb") as file:
        for part in compound_file(root, SIGNATURE):
            if part is body:
                file.seek(len(part), io.SEEK_CUR)  # a hole takes no room
            else:
                file.write(part)
    with path.open("rb") as file:
        found = CompoundFileBinary(file, "rb")
        assert found.difat_sector_count == 1 and found.fat_sector_count > 109
        assert len(found.fat) * SECTOR >= path.stat().st_size - SECTOR
        assert bytes(found.open("/said").read()) == b"x" * 5000
        assert {one.name: one.byte_size for one in found.listdir(found.root)} == sizes
        assert len(found.get_fat_chain(found.find("/469").sector_id)) == 256


def test_more_than_such_a_file_holds_is_refused() -> None:
    body = bytes(1 << 20)
    with pytest.raises(ConfigError, match="2 GiB"):
        next(compound_file(Storage(parts={f"{n}": body for n in range(2048)}), SIGNATURE))


def test_numbers_of_the_header() -> None:
    content = written(Storage(parts={"large": bytes(5000), "small": b"x"}))
    version, order, shift, small = struct.unpack_from("<HHHH", content, 26)
    assert (version, order, 1 << shift, 1 << small) == (4, 0xFFFE, SECTOR, 64)
    # Two sectors of the large stream, one of small ones, their table, the directory, its table.
    assert struct.unpack_from("<IIIIIIIIII", content, 40) == (
        *(1, 1, 4, 1, 4096),
        *(3, 1, 0xFFFFFFFE, 0, 5),
    )
