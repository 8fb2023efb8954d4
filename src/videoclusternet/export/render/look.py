"""What a rendered film shows: whose faces get a name, and whose are blurred."""

from __future__ import annotations

from dataclasses import dataclass

from videoclusternet.errors import ConfigError
from videoclusternet.result.found import Found

SURE = 0.5
"""The detector's word for: rather a face than none."""


@dataclass(frozen=True)
class Look:
    """What is drawn into a film.

    Attributes
    ----------
    boxes : bool
        Whether faces that are not blurred have a box with the name.
    unknown : bool
        Whether there is a box, without a name, round those of nobody as well.
    blur : tuple of str
        Characters by name or number whose faces are blurred.
    blur_others : bool
        Blur every face that was found, but those of ``keep``.
    keep : tuple of str
        Characters by name or number.
    sure : float
        With ``blur_others``, faces that belong to no track are blurred where the detector was so
        sure of them, 0 to 1.
    """

    boxes: bool = True
    unknown: bool = False
    blur: tuple[str, ...] = ()
    blur_others: bool = False
    keep: tuple[str, ...] = ()
    sure: float = SURE

    def check(self) -> None:
        """Refuse what contradicts itself.

        Raises
        ------
        ConfigError
        """
        if self.blur and self.blur_others:
            raise ConfigError(
                "--blur and --blur-others at once",
                "blur some with --blur NAME, or all but some with --blur-others --keep NAME",
            )
        if self.keep and not self.blur_others:
            raise ConfigError("--keep says who stays", "add --blur-others to blur everybody else")
        if not (self.boxes or self.blur or self.blur_others):
            raise ConfigError("nothing would be drawn", "leave out --no-boxes, or blur somebody")

    def blurred(self, run: Found) -> set[int]:
        """Return whose faces are blurred, as ``cast.character`` has them; -1 for the Unknown.

        Raises
        ------
        ConfigError
            When a character is not there.
        """
        if self.blur_others:
            return {-1, *run.people} - {run.index_of(one) for one in self.keep}
        return {run.index_of(one) for one in self.blur}
