"""Draw how long everybody is on screen in each part of a film: screen_time.py RUN PICTURE."""

import argparse
from itertools import pairwise

from matplotlib.figure import Figure

from videoclusternet import Character, open_run

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("run", help="a finished run folder")
parser.add_argument("picture", help="to write: .png, .svg or .pdf")
parser.add_argument("--parts", type=int, default=24, help="into how many parts to cut (24)")
parser.add_argument("--most", type=int, default=12, help="how many characters to draw (12)")
args = parser.parse_args()

run = open_run(args.run)
begins = [sum(film.duration for film in run.films[:n]) for n in range(len(run.films))]
whole = sum(film.duration for film in run.films)
edges = [whole * n / args.parts for n in range(args.parts + 1)]


def seconds(person: Character, first: float, last: float) -> float:
    """Return how long somebody is on screen between two moments; films follow each other."""
    times = [(begins[s.film] + s.start, begins[s.film] + s.stop) for s in person.spans]
    return sum(max(0.0, min(stop, last) - max(start, first)) for start, stop in times)


people = list(run)[: args.most]
table = [[seconds(one, a, b) for a, b in pairwise(edges)] for one in people]
figure = Figure(figsize=(10, 1.5 + 0.3 * len(people)), layout="constrained")
axes = figure.subplots()
axes.set(xlabel="s of the film", title="Seconds on screen")
if people:
    drawn = axes.pcolormesh(edges, range(len(people) + 1), table, cmap="Blues", edgecolors="white")
    figure.colorbar(drawn)
axes.set_yticks([n + 0.5 for n in range(len(people))], [one.name[:30] for one in people])
axes.invert_yaxis()
figure.savefig(args.picture)
