"""List who is on screen together, and for how long: who_meets_whom.py RUN."""

import argparse
from itertools import combinations

from videoclusternet import Character, open_run


def together(one: Character, other: Character) -> float:
    """Return for how many seconds both are on screen."""
    return sum(
        max(0.0, min(a.stop, b.stop) - max(a.start, b.start))
        for a in one.spans
        for b in other.spans
        if a.film == b.film
    )


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("run", help="a finished run folder")
args = parser.parse_args()

pairs = [(together(a, b), a, b) for a, b in combinations(open_run(args.run), 2)]
for seconds, a, b in sorted(pairs, key=lambda pair: -pair[0]):
    if seconds > 0:
        share = seconds / min(a.seconds, b.seconds)
        print(f"{seconds:7.1f} s  {share:4.0%}  {a.name} and {b.name}")
