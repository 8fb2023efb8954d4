"""List who is on screen together, and for how long: who_meets_whom.py RUN."""

import argparse
from itertools import combinations

from videoclusternet import open_run

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("run", help="a finished run folder")
run = open_run(parser.parse_args().run)

pairs = [
    (sum(span.seconds for span in run.query(f"{one.number} & {other.number}")), one, other)
    for one, other in combinations(run, 2)
]
for seconds, one, other in sorted(pairs, key=lambda pair: -pair[0]):
    if seconds > 0:
        share = seconds / min(one.seconds, other.seconds)
        print(f"{seconds:7.1f} s  {share:4.0%}  {one.name} and {other.name}")
