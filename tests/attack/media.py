"""Bad media: films that are damaged or lie, no films, strange places and strange names.

Besides what every command must hold, nothing is silently wrong; :mod:`tests.attack.media_judge`
says how that is judged and what nobody can see.
"""

from __future__ import annotations

from tests.attack import media_damage
from tests.attack.campaign import Family

FAMILY: Family = {
    "damage": media_damage.damage,
    "lies": media_damage.lies,
}
