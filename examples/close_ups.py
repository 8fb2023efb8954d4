"""Export the close-ups of one person: close_ups.py RUN NAME FILE.

The ending of FILE says the format: .edl, .otio, .csv or any other of `vcn export --list`.
"""

import argparse

from videoclusternet import export_run, open_run

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("run", help="a finished run folder")
parser.add_argument("name", help="name or number of a character")
parser.add_argument("file", help="to write")
parser.add_argument("--face", type=float, default=0.3, help="share of the picture's height (0.3)")
args = parser.parse_args()

run = open_run(args.run)
person = run[args.name]
found = run.query(str(person.number), min_face=args.face, gap=0.5)
paths = export_run(run, args.file, spans={f"{person.name}, close": found}, handles=1)
print(f"{len(found)} close-ups in", *paths)
