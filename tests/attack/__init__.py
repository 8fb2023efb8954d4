"""The attack campaign: what people, other programs and bad luck do to inputs and run folders.

    make attack                                 all of it
    python -m tests.attack --help               families, seeds, a short slice, one case

Every case makes an input in an empty folder (:class:`tests.attack.case.Place`) and calls the
command on it, each time in a forked child.  For every command the campaign itself holds: an exit
code that is documented, one clear line where it is not 0, no ``Traceback``, an end within a minute,
less than 2 GiB.  The case says what else must hold: that a result equals the clean one, that
nothing is left behind, that the folder can be used afterwards.

A family is a file with ``FAMILY``: groups of cases by name, each a function of the
:class:`tests.attack.material.Material` and a seeded generator, that yields
:class:`tests.attack.case.Case`; and a line in ``FAMILIES`` in ``__main__.py``::

    def empty_films(material: Material, rng: random.Random) -> Iterator[Case]:
        def attack(place: Place) -> None:
            (place.folder / "film.mp4").touch()
            place.vcn("cluster", "film.mp4", "-q", codes=(3,))
            place.must(not (place.folder / "film.vcn").exists(), "a run of nothing", "unclear")

        yield Case("no bytes", attack)

    FAMILY = {"empty films": empty_films}
"""
