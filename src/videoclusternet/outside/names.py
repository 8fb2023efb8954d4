r"""Names of people without what nobody sees: two that look alike are one.

Left out are the characters of Unicode that show nothing and mean nothing in a name: spaces of no
width (U+200B, U+2060, U+FEFF), the soft hyphen, marks of direction (U+200E, U+200F, U+061C),
fillers and their like.  What shapes its neighbours stays where it can shape any:

- the joiners U+200C and U+200D, and U+180E, between letters of scripts that join or stack them
  (Arabic, Indic, ...) and behind a virama, and U+200D between two symbols, as in emoji;
- selectors of a variant, except behind a letter that has two cases, a space or nothing;
- tags, behind a symbol: they make flags.

Letters with accents are put into their shorter form (NFC).  What turns a whole line stays: wherever
a name is shown it is written ``\u202e``, or kept to itself.
"""

from __future__ import annotations

import re
import unicodedata

NOTHING = re.compile(
    "[\u00ad\u034f\u061c\u200b\u200e\u200f\u2060-\u2064\u206a-\u206f\u3164\ufeff\uffa0"
    "\ufff9-\ufffb\U000e0001]"
)
"""What shows nothing, wherever it stands."""
SHAPING = re.compile("[\u180e\u200c\u200d\ufe00-\ufe0f\U000e0020-\U000e007f\U000e0100-\U000e01ef]+")
"""Joiners, selectors of a variant and tags, several in a row."""
JOINED = re.compile(
    "[\u0600-\u109f\u1780-\u1c4f\ua800-\ua8ff\ua980-\ua9df\uaae0-\uaaff\uabc0-\uabff"
    "\ufb50-\ufdff\ufe70-\ufefc\U00010a00-\U00011fff\U0001e900-\U0001e95f]"
)
"""Letters and marks of scripts in which a joiner is seen."""
SYMBOLS = ("So", "Sk")
CASED = ("Lu", "Ll", "Lt")
VIRAMA = 9
"""Combining class of the mark that takes a letter its vowel."""


def as_seen(name: str) -> str:
    """Return a name without what is not seen; of such a name itself."""
    while (seen := _once(name)) != name:
        name = seen
    return name


def _once(name: str) -> str:
    text = NOTHING.sub("", unicodedata.normalize("NFC", name))
    return SHAPING.sub(lambda found: _kept(text, found), text)


def _kept(text: str, found: re.Match[str]) -> str:
    """Return what stays of shaping characters in a row, by what stands before and behind them."""
    start, stop = found.span()
    before, behind = text[start - 1 : start], text[stop : stop + 1]
    if not before or before.isspace() or unicodedata.category(before) in CASED:
        return ""
    symbol = unicodedata.category(before) in SYMBOLS
    kept = "".join(one for one in found[0] if symbol or not "\U000e0020" <= one <= "\U000e007f")
    if symbol and behind and unicodedata.category(behind) in SYMBOLS:
        return re.sub("\u200d+", "\u200d", re.sub("[\u180e\u200c]", "", kept))
    virama = unicodedata.combining(before) == VIRAMA
    joined = virama or (JOINED.match(before) and JOINED.match(behind))
    return re.sub("([\u180e\u200c\u200d])[\u180e\u200c\u200d]*", r"\1" if joined else "", kept)
