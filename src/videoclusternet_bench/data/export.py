"""Write labelled boxes: our CSV form, MOTChallenge, CVAT for video.  All read back the same."""

from __future__ import annotations

import csv
from pathlib import Path

from videoclusternet.annotations.box_forms import TITLES, Form
from videoclusternet.annotations.boxes import COLUMNS, FILM, TRACKS, LabelledBoxes
from videoclusternet.annotations.cvat_writing import cvat_text
from videoclusternet.annotations.mot_writing import facts_text, mot_files
from videoclusternet.errors import ConfigError
from videoclusternet_bench.data.new_set import new_set

CVAT = "annotations.xml"


def check_form(text: str) -> Form:
    """Read the name of a form; anything else is a ConfigError."""
    for form in TITLES:
        if text == form:
            return form
    raise ConfigError(f"no form {text!r}", f"write {', '.join(TITLES)} or crops")


def write_boxes(boxes: LabelledBoxes, folder: Path, form: Form = "csv") -> None:
    """Write labelled boxes in one of the forms; they read back the same.

    Parameters
    ----------
    boxes : LabelledBoxes
        Coordinates are kept to a millionth of a px, in CSV exactly.
    folder : Path
        New or empty.
    form : {'csv', 'mot', 'cvat'}

    Raises
    ------
    StoreError
        When the folder holds something, or cannot be written.
    DataError
        When a name holds a character that XML cannot.
    """
    with new_set(folder) as new:
        if form == "csv":
            _write_csv(boxes, new)
        else:
            files = mot_files(boxes) if form == "mot" else {CVAT: cvat_text(boxes)}
            for name, text in files.items():
                (new / name).parent.mkdir(exist_ok=True)
                (new / name).write_text(text, encoding="utf-8", newline="")
        (new / FILM).write_text(facts_text(boxes.film), encoding="utf-8")


def _write_csv(boxes: LabelledBoxes, folder: Path) -> None:
    with (folder / TRACKS).open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        for track, frame, box in zip(boxes.track, boxes.frame, boxes.box.tolist(), strict=True):
            values = (repr(value).removesuffix(".0") for value in box)
            writer.writerow([boxes.tracks[track], int(frame), *values, boxes.labels[track]])
