"""``python -m tests.attack``: run the campaign, print counts, end with 1 if anything fell."""

from __future__ import annotations

import argparse
import codecs
import importlib
import os
import pkgutil
import sys
import tempfile
from pathlib import Path

import cv2
import torch

import videoclusternet
import videoclusternet_bench
from tests.attack.campaign import Family, Found, gather, run
from tests.attack.films import media
from tests.attack.inputs import model_files, servers, settings
from tests.attack.material import Material
from tests.attack.readers import readers
from tests.attack.runs import edits, exports, folders, kills, libraries, zips

FAMILIES: dict[str, Family] = {
    "edits": edits.FAMILY,
    "folders": folders.FAMILY,
    "kills": kills.FAMILY,
    "libraries": {**libraries.FAMILY, **exports.EXPORTS},
    "media": media.FAMILY,
    "models": model_files.FAMILY,
    "readers": readers.FAMILY,
    "servers": servers.FAMILY,
    "settings": settings.FAMILY,
    "zips": zips.FAMILY,
}


def main() -> int:
    """Run the campaign of the command line."""
    asked = _arguments()
    preload()
    # Children of a fork must find no threads in use.
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    families = {name: FAMILIES[name] for name in asked.family or FAMILIES}
    with tempfile.TemporaryDirectory(prefix="attack-") as temporary:
        folder = Path(asked.folder or temporary).resolve()
        for part in ("material", "cases"):
            (folder / part).mkdir(parents=True)
        folder.chmod(0o711)  # some cases are another user's
        material = Material(folder / "material")
        cases = gather(families, material, asked.seed, asked.cases, asked.only)
        if asked.list:
            print("\n".join(f"{family} {case.name}" for family, case in cases))
            return 0
        keep = asked.folder is not None
        report = run(cases, folder / "cases", asked.seed, asked.workers, keep, _tell)
    print(report.table())
    return int(bool(report.faults))


def preload() -> None:
    """Import all that commands import as they need it: the children have it then."""
    for package in (videoclusternet, videoclusternet_bench):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    importlib.import_module("PIL.Image").init()
    for module in ("cProfile", "torch._dynamo"):  # of torch, when it trains
        importlib.import_module(module)
    for encoding in ("cp437", "unicode_escape", "utf-8-sig", "utf-16-le", "utf-32-le"):
        codecs.lookup(encoding)


def _tell(found: Found) -> None:
    for fault in found.faults:
        print(f"{found.family} {found.case}: {fault.kind}: {fault.said}", flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.attack", description=__doc__)
    parser.add_argument("family", nargs="*", help=f"of {', '.join(FAMILIES)}; else all")
    parser.add_argument("--seed", type=int, default=0, help="of all that is drawn")
    parser.add_argument("--cases", type=int, help="of each family at most: a short slice")
    parser.add_argument("--only", default="", metavar="TEXT", help="cases with this in the name")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--folder", help="new folder that keeps what cases with a fault made")
    parser.add_argument("--list", action="store_true", help="print the names of the cases")
    asked = parser.parse_args()
    for name in asked.family:
        if name not in FAMILIES:
            parser.error(f"no family {name!r}")
    return asked


if __name__ == "__main__":
    sys.exit(main())
