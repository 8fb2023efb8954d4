"""Compound files: folders and small files within one file, as AAF keeps its objects.

Microsoft's format [MS-CFB], version 4, written whole: the streams one after the other, each folder
a balanced tree from the start.  pyaaf2 adds entry by entry, and looks through the folder for each.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from videoclusternet.errors import ConfigError

SECTOR, SMALL = 4096, 64
"""Bytes of a sector, and of one of those that small streams lie in."""
A_SECTOR = SECTOR // 4
"""Numbers in a sector of a table."""
IN_HEADER = 109
"""Sectors of the table of sectors that the header itself names."""
MOST = 0x7FFFFF00 // SECTOR - 1
"""Sectors at most: the next is kept for locks."""
TABLE_OF_TABLES, TABLE, END, FREE = 0xFFFFFFFC, 0xFFFFFFFD, 0xFFFFFFFE, 0xFFFFFFFF
"""What a sector is, or follows, that nothing follows."""
NOTHING = 0xFFFFFFFF
"""No entry."""
ENTRY = struct.Struct("<64sHBBIII16sIQQIQ")
"""Name, its size, type, colour, left, right, child, kind, flags, times, sector, size."""
HEADER = struct.Struct("<8s16sHHHHH6xIIIIIIIII")
A_FOLDER, A_STREAM, THE_ROOT = 1, 2, 5
"""Types of entries."""
RED, BLACK = 0, 1
IntArray = npt.NDArray[np.uint32]


@dataclass(slots=True)
class Storage:
    """A folder: an object of AAF.

    Attributes
    ----------
    kind : bytes
        Id of its class, 16 bytes.
    parts : dict
        What is in it by name: folders, and streams of bytes.  One storage may lie in several.
    """

    kind: bytes = bytes(16)
    parts: dict[str, Storage | bytes] = field(default_factory=dict)

    def at(self, path: str) -> Storage:
        """Return the storage at a path, such as ``/Header-2/Content-3b03``."""
        found: Storage | bytes = self
        for name in path.strip("/").split("/"):
            assert isinstance(found, Storage)
            found = found.parts[name]
        assert isinstance(found, Storage)
        return found


def compound_file(root: Storage, signature: bytes) -> Iterator[bytes]:
    """Write everything that is in a storage.

    Parameters
    ----------
    root : Storage
    signature : bytes
        Id of what the file is, 16 bytes.

    Yields
    ------
    bytes
        The file, part after part.

    Raises
    ------
    ConfigError
        When it would be larger than 2 GiB.
    """
    small, large = _Bodies(SMALL), _Bodies(SECTOR)
    directory = _directory(root, small, large)
    inner = _filled(b"".join(small.bodies)), _table(small.chains), directory
    chains = [*large.chains, *(len(part) // SECTOR for part in inner)]
    tables, more = _tables(sum(chains))
    if sum(chains) + tables + more > MOST:
        raise ConfigError("an AAF of more than 2 GiB", "export fewer characters at a time")
    own = np.arange(sum(chains), sum(chains) + tables + more, dtype="<u4")
    yield _header(signature, chains, own[:tables], own[tables:])
    yield from large.bodies
    yield from inner
    yield _table(chains, [TABLE] * tables + [TABLE_OF_TABLES] * more)
    yield _more(own[:tables], own[tables:])


class _Bodies:
    """What is in the streams of one kind, one after the other."""

    def __init__(self, sector: int) -> None:
        self.sector, self.used = sector, 0
        self.bodies: list[bytes] = []
        self.chains: list[int] = []

    def add(self, body: bytes) -> int:
        """Add one; return the sector in which it begins."""
        begins, sectors = self.used, -(-len(body) // self.sector)
        self.bodies.append(body.ljust(sectors * self.sector, b"\0"))
        self.chains.append(sectors)
        self.used += sectors
        return begins


def _directory(root: Storage, small: _Bodies, large: _Bodies) -> bytes:
    """Return all entries, and put what they name among the bodies."""
    queue: list[tuple[str, Storage | bytes, int, int, int]]
    queue = [("Root Entry", root, NOTHING, NOTHING, BLACK)]
    entries = []
    for name, part, left, right, colour in queue:  # grows as it goes: entries of a folder together
        child, kind, begins, size = NOTHING, bytes(16), 0, 0
        if isinstance(part, Storage):
            what, kind, base = A_FOLDER, part.kind, len(queue)
            names = sorted(part.parts, key=_rank)
            child, links = _balanced(len(names))
            child = NOTHING if child == NOTHING else base + child
            for inner, (before, after, shade) in zip(names, links, strict=True):
                before = NOTHING if before == NOTHING else base + before
                after = NOTHING if after == NOTHING else base + after
                queue.append((inner, part.parts[inner], before, after, shade))
        else:
            what, size = A_STREAM, len(part)
            begins = (large if size >= SECTOR else small).add(part) if part else END
        said = name.encode("utf-16-le")
        told = said, min(len(said) + 2, 64), what, colour, left, right, child, kind
        entries.append(ENTRY.pack(*told, 0, 0, 0, begins, size))
    # Small streams lie in a large one of the root's, behind all others.
    begins, size = (large.used, small.used * SMALL) if small.used else (END, 0)
    changed = bytearray(entries[0])
    changed[66] = THE_ROOT
    changed[-12:] = struct.pack("<IQ", begins, size)
    entries[0] = bytes(changed)
    unused = ENTRY.pack(b"", 0, 0, 0, NOTHING, NOTHING, NOTHING, bytes(16), 0, 0, 0, 0, 0)
    return b"".join(entries + [unused] * (-len(entries) % (SECTOR // ENTRY.size)))


def _rank(name: str) -> tuple[int, str]:
    """Return what entries are sorted by: shorter names come first."""
    return len(name), name.upper()


@lru_cache(maxsize=64)
def _balanced(count: int) -> tuple[int, list[tuple[int, int, int]]]:
    """Lay out a red-black tree: which entry is on top; left, right and colour of each."""
    links = [(NOTHING, NOTHING, BLACK)] * count
    lowest = count.bit_length() - 1

    def lay(first: int, end: int, depth: int) -> int:
        if first == end:
            return NOTHING
        middle = (first + end) // 2
        sides = lay(first, middle, depth + 1), lay(middle + 1, end, depth + 1)
        links[middle] = (*sides, RED if depth == lowest and depth else BLACK)
        return middle

    return lay(0, count, 0), links


def _table(chains: list[int], others: list[int] | None = None) -> bytes:
    """Say for each sector which follows: each chain goes on to its end."""
    following = np.arange(1, sum(chains) + 1, dtype="<u4")
    lengths = np.array([length for length in chains if length], np.int64)
    following[np.cumsum(lengths) - 1] = END
    return _filled(following.tobytes() + np.array(others or [], "<u4").tobytes(), b"\xff")


def _tables(sectors: int) -> tuple[int, int]:
    """Return how many sectors the table of all takes, itself included, and how many say where."""
    tables = more = 0
    while sectors + tables + more > tables * A_SECTOR:
        tables += 1
        more = max(0, -(-(tables - IN_HEADER) // (A_SECTOR - 1)))
    return tables, more


def _header(signature: bytes, chains: list[int], tables: IntArray, more: IntArray) -> bytes:
    """Say where everything is; ``chains`` end with small streams, their table, the directory."""
    *_, table, directory = chains
    behind = sum(chains)
    head = HEADER.pack(
        *(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", signature, 62, 4, 0xFFFE, 12, 6),
        *(directory, len(tables), behind - directory, 1, SECTOR),
        *(behind - directory - table if table else END, table),
        *(int(more[0]) if len(more) else END, len(more)),
    )
    named = tables[:IN_HEADER].tobytes().ljust(4 * IN_HEADER, b"\xff")
    return _filled(head + named)


def _more(tables: IntArray, more: IntArray) -> bytes:
    """Say where those tables are that the header has no room for."""
    rest, each = tables[IN_HEADER:].tobytes(), 4 * (A_SECTOR - 1)
    following = [*more[1:], END] if len(more) else []
    return b"".join(
        rest[n * each : (n + 1) * each].ljust(each, b"\xff") + struct.pack("<I", after)
        for n, after in enumerate(following)
    )


def _filled(part: bytes, by: bytes = b"\0") -> bytes:
    """Fill up the last sector."""
    return part.ljust(-(-len(part) // SECTOR) * SECTOR, by)
