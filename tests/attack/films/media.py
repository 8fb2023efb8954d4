"""Bad media: films that are damaged or lie, no films, strange places and strange names.

Besides what every command must hold, nothing is silently wrong; :mod:`tests.attack.films.judge`
says how that is judged and what nobody can see.
"""

from __future__ import annotations

from tests.attack.campaign import Family
from tests.attack.films import damage as media_damage
from tests.attack.films import names as media_names
from tests.attack.films import strangers as media_strangers

FAMILY: Family = {
    "damage": media_damage.damage,
    "lies": media_damage.lies,
    "stamps": media_names.stamps,
    "strangers": media_strangers.strangers,
    "renamed": media_strangers.renamed,
    "lists": media_strangers.lists,
    "places": media_strangers.places,
    "changes": media_strangers.changes,
    "names": media_names.names,
    "folders": media_names.folders,
}
