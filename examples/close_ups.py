"""Export the close-ups of one person: close_ups.py RUN NAME FILE.

The ending of FILE says the format: .edl, .otio, .csv or any other of `vcn export --list`.
"""

import argparse
import statistics

from videoclusternet import export_run, open_run

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("run", help="a finished run folder")
parser.add_argument("name", help="name or number of a character")
parser.add_argument("file", help="to write")
parser.add_argument("--face", type=float, default=0.3, help="share of the picture's height (0.3)")
args = parser.parse_args()

run = open_run(args.run)
person, found = run[args.name], []
for track in person.tracks.tolist():
    film, number = run.film_of(track), int(run.tracks.film[track])
    if film.video is None or film.faces is None:
        parser.error("this run has no boxes: it was made of cut faces")
    boxes = film.faces.box[run.tracks.faces_of(track)]
    if statistics.median(boxes[:, 3] - boxes[:, 1]) >= args.face * film.video.height:
        first, last = int(run.tracks.first[track]), int(run.tracks.last[track])
        found.append(film.span(number, first, last + 1))

paths = export_run(run, args.file, spans={f"{person.name}, close": found}, gap=0.5, handles=1)
print(f"{len(found)} close-ups in", *paths)
