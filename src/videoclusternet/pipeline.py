"""The whole method on one page: sources in, cast out.

    source -> tracks, crops -> embeddings -> judgement -> views -> (adaptation) -> links
    -> cast -> page

Each step is a row: its function, in the file of its name, and the tables that it gives.  A
source brings tracks and crops; how a film does that stands in
:mod:`videoclusternet.sources.film`, in the same form.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from pathlib import Path

from videoclusternet.adapt.ranks import ALONE, Ranks, joined
from videoclusternet.adapt.rounds import FOLDER, GoodRounds
from videoclusternet.adapt.step import adapt_faces, given_model
from videoclusternet.adapt.supply import Supply
from videoclusternet.clustering.coarse_matching import find_links
from videoclusternet.clustering.find_cast import find_cast, find_known_cast
from videoclusternet.clustering.known.gallery import Gallery
from videoclusternet.clustering.known.suggested import Suggested
from videoclusternet.clustering.reading import STABILITY, Reading, check_choice, round_number
from videoclusternet.config import Config, EmbedConfig
from videoclusternet.embed.embed import embed_crops, embed_views
from videoclusternet.embed.judgement import judge_tracks
from videoclusternet.engine.processes import usable
from videoclusternet.engine.work import Work
from videoclusternet.errors import ConfigError, DataError, StoreError
from videoclusternet.events import Hook, silent
from videoclusternet.library import meeting
from videoclusternet.models.load import LazyBackbone, LazyDetector, pick_device
from videoclusternet.models.registry import find
from videoclusternet.outside.files import exists
from videoclusternet.result.result import Result, open_described, open_run
from videoclusternet.runfolder.crop_zip import CROP_ZIP, CropPictures
from videoclusternet.runfolder.films import Others
from videoclusternet.runfolder.folder import Store, default_output, same_twice
from videoclusternet.runfolder.manifest import MANIFEST
from videoclusternet.runfolder.steps import Run, Step, fingerprint_of, recorded_settings
from videoclusternet.show.cast_page import write_page
from videoclusternet.show.learning import write_learning
from videoclusternet.sources.check import check_models, check_sources
from videoclusternet.sources.pooled import Pooled
from videoclusternet.sources.source import Brought, Note, Source
from videoclusternet.types import (
    Candidates,
    Cast,
    CropWeights,
    Embeddings,
    Epochs,
    Judgement,
    Links,
    Merges,
    Rounds,
    Tracks,
    Views,
)
from videoclusternet.types.judgement import told

EMBEDDINGS = Step("embeddings", embed_crops, (Embeddings,), unit="faces")
JUDGE = Step("judgement", judge_tracks, (Judgement, CropWeights), unit="tracks")
VIEWS = Step("views", embed_views, (Views,), unit="faces")
ADAPT = Step("adapt", adapt_faces, (Rounds, Epochs), unit="pairs", folder=FOLDER)
LINKS = Step("links", find_links, (Links,))
CAST = Step("cast", find_cast, (Cast, Merges, Candidates), version=2, unit="comparisons")
KNOWN_CAST = Step(
    "cast", find_known_cast, (Cast, Merges, Candidates, Suggested), version=2, unit="comparisons"
)


def cluster(
    sources: Sequence[Source],
    output: Path | str | None = None,
    config: Config | None = None,
    hook: Hook = silent,
    others: Others = "refuse",
    library: Path | str | None = None,
) -> Result:
    """Find out who is on screen, in one source or in several with a shared cast.

    Parameters
    ----------
    sources : sequence of Source
        Films, boxes, aligned crops or features.
    output : path, optional
        Run folder; by default the first source's name with ``.vcn``, in the current folder.
        A folder with an earlier run of the same sources, or of some of them, is continued: what
        is known of a film is found again by its content, and only the others are looked at.
    config : Config, optional
    hook : Hook
        Told of everything that happens; may raise ``Cancelled``.
    others : {"refuse", "drop"}
        What becomes of films that the folder holds and that are not given.
    library : path, optional
        People who are known and get their names; ``default`` is the user's own.

    Returns
    -------
    Result

    Raises
    ------
    VcnError
        With an exit code and an advice; see :mod:`videoclusternet.errors`.
    """
    c = config or Config()
    if not sources:
        raise ConfigError("no film given", "name at least one film")
    check_sources(sources, learns(c))
    device = pick_device(c.device)
    detector = LazyDetector(c.faces.detector, device)
    backbone = LazyBackbone(c.embed.backbone, device)
    folder = default_output([Path(source.path) for source in sources], output)
    check_settings(c, folder, library)
    begun = exists(folder / MANIFEST)
    if not begun:  # before anything is written
        check_models(sources, None, c)
    with Run.open(folder, c, hook, processes(c, device)) as run:
        run.begin(sources, others)
        runs, brought = bring(run, sources, detector, begun)
        described = describe(brought, runs, backbone)
        run.engine.close()  # what follows is done here, and needs the memory
        people = meet(library, described, brought, backbone, {s.content for s in sources})
        find_characters(run, described, backbone, people=people)
        result = finish(run.folder)
    return name_known(result, people, library, run.note)


def bring(
    run: Run, sources: Sequence[Source], detector: LazyDetector, begun: bool
) -> tuple[list[Run], list[Brought]]:
    """Let each source bring its tracks and crops into its own part of a run."""
    runs = run.films()
    for said in same_twice([(source.path, source.content) for source in sources]):
        run.note(said)
    if begun:
        check_models(sources, runs, run.config)
    pairs = zip(sources, runs, strict=True)
    return runs, [source.bring(film, film.number, detector) for source, film in pairs]


def describe(brought: Sequence[Brought], runs: Sequence[Run], backbone: LazyBackbone) -> Pooled:
    """Embed the crops of all films, (C, d), judge their tracks, embed views (N, V, d) of some."""
    films = [_film(source, run, backbone) for source, run in zip(brought, runs, strict=True)]
    tracks, embeddings, views, weights = zip(*films, strict=True)
    made = sorted({(one.model, one.base.shape[1]) for one in embeddings})
    if len(made) > 1:
        said = " and ".join(f"{width} values of {model}" for model, width in made)
        raise DataError(f"features of {said} cannot share a run", "cluster those of one model")
    crops = [source.crops for source in brought]
    return Pooled(
        Tracks.of_films(tracks),
        Embeddings.of_films(embeddings, [len(one) for one in crops]),
        Views.of_films(views, [len(one) for one in embeddings]),
        CropWeights.concatenate(weights),
        CropPictures([(r.folder / CROP_ZIP, one) for r, one in zip(runs, crops, strict=True)]),
    )


def _film(
    brought: Brought, run: Run, backbone: LazyBackbone
) -> tuple[Tracks, Embeddings, Views, CropWeights]:
    """Describe the crops of one film, and set aside what is no face or cannot be told."""
    (tracks, crops, given, faces), c = brought, run.config
    if given is not None:
        return tracks, given, Views.none(given.base.shape[1]), CropWeights.even(len(given))
    pictures = CropPictures([(run.folder / CROP_ZIP, crops)])
    embeddings = run.do(EMBEDDINGS, crops, tracks, pictures, backbone, c.embed)
    weights = CropWeights.even(len(embeddings))
    if faces is not None:
        of_models = find(c.faces.detector)[0].sure, find(c.embed.backbone)[0].least
        found = (tracks, faces, crops, embeddings, pictures, backbone)
        judgement, weights = run.do(JUDGE, *found, *of_models, c.judge)  # (T,), (C,)
        tracks = judgement.of(tracks)
        embeddings = told(embeddings, tracks)
    views = run.do(VIEWS, crops, tracks, pictures, backbone, c.embed, c.seed)
    if (views.row >= len(embeddings)).any():
        raise StoreError(
            f"{run.folder} is damaged: its views are not of its embeddings",
            "restore it, or start a new run folder",
        )
    return tracks, embeddings, views, weights


def meet(
    library: Path | str | None,
    described: Pooled,
    brought: Sequence[Brought],
    backbone: LazyBackbone,
    films: Set[str],
) -> Gallery | None:
    """Return the people of a library who may be in these films, as the same model sees them."""
    if library is None:
        return None
    given = brought[0].embeddings
    digest = backbone.digest if given is None else given.model
    return meeting.people_near(library, digest, described.embeddings, described.weights, films)


def find_characters(
    run: Run,
    film: Pooled,
    backbone: LazyBackbone,
    ranks: Ranks = ALONE,
    supplies: dict[str, Supply] | None = None,
    people: Gallery | None = None,
) -> None:
    """Group the tracks of all films into one cast, beside people who are known."""
    c, described = run.config, (film.embeddings, film.views)
    rounds = learn(run, film, backbone, ranks, supplies) if learns(c) else None
    if c.cluster.choose == STABILITY and c.adapt.pairs != "own":
        rounds = None  # what learnt from a partition is stable by itself: only by name
    settings = (c.cluster, c.track_quality, c.seed)
    run.do(LINKS, *described, c.matching)  # (L,) coarse matches, for whoever looks into a run
    faces = (film.tracks, *described, film.weights)
    if people is None:
        run.do(CAST, *faces, *settings, rounds)  # (T,) character numbers
        run.store.drop(Suggested)
    else:
        run.do(KNOWN_CAST, *faces, *settings, people, rounds)  # and who of them is known


def check_settings(config: Config, folder: Path, library: Path | str | None = None) -> None:
    """Refuse settings that would only fail late, after hours of looking.

    Raises
    ------
    VcnError
        When the cast is to be read from what nothing makes, or the model that is begun with, or
        the library, is not there or another.
    """
    if library is not None:
        meeting.library_of(library).close()
    check_choice(config.cluster)
    given_model(config, folder)
    named = [round_number(one) or 0 for one in Reading.parse(config.cluster.choose).spaces]
    if (last := max(named)) > config.adapt.rounds:
        raise ConfigError(
            f"cluster.choose={config.cluster.choose} needs {last} rounds of learning, "
            f"adapt.rounds is {config.adapt.rounds}",
            f"set adapt.rounds={last} or more",
        )


def learns(config: Config) -> bool:
    """Whether the face model is adapted, or an adapted one is taken."""
    return bool(config.adapt.rounds or config.adapt.given)


def learn(
    run: Run,
    film: Pooled,
    backbone: LazyBackbone,
    ranks: Ranks,
    supplies: dict[str, Supply] | None,
) -> GoodRounds:
    """Adapt the face model to the faces of a run, round by round."""
    c, given = given_model(run.config, run.folder)
    settings = (c.adapt, c.matching, c.track_quality, c.embed, c.seed)
    faces = (film.tracks, film.embeddings, film.views, film.weights, film.pictures)
    arguments = (*faces, backbone, *settings, given)
    if ranks.first:
        rounds, _ = run.do(ADAPT, *arguments, ranks=ranks, supplies=supplies)
    elif run.holds(ADAPT, *arguments):  # as the first one decides: nobody waits for ever
        rounds, _ = run.read(ADAPT)
    else:  # trains along; the first process keeps the result
        work = Work(folder=run.folder, fingerprint=fingerprint_of(ADAPT, arguments))
        rounds, _ = adapt_faces(*arguments, ranks=ranks, supplies=supplies, work=work)
    return GoodRounds(run.folder, rounds)


def finish(folder: Path) -> Result:
    """Draw the learning, write the page, and read the run back."""
    write_learning(folder)
    result = open_run(folder)
    if result.has_pictures:
        write_page(result)
    return result


def name_known(
    result: Result, people: Gallery | None, library: Path | str | None, note: Note
) -> Result:
    """Call characters by the names of those whom they joined: edits of a finished run."""
    if people is None or library is None:
        return result
    (suggested,) = Store(result.folder).load("cast", (Suggested,))
    made = meeting.take_up(result, suggested, result.clustering, people, library)
    note(meeting.told(result, made, people))
    if made and result.has_pictures:
        write_page(result)
    return result


def adapt_run(
    folder: Path | str,
    config: Config,
    hook: Hook = silent,
    supplies: dict[str, Supply] | None = None,
) -> Result:
    """Adapt the model of a finished run and find its cast anew.

    The film is not needed.  Started by ``torchrun``, all processes train together and the
    first one writes.

    Parameters
    ----------
    folder : path
        Of a run that is finished, in any profile, or whose adaptation was stopped.
    config : Config
        ``adapt``, ``matching``, ``track_quality``, ``cluster`` and ``seed`` are used; the
        face model and its views are those of the run.
    hook : Hook
    supplies : dict, optional
        Kept activations, for many trainings of one run.
    """
    found = open_described(folder)
    if learns(config) and not found.has_pictures:
        raise ConfigError(
            f"{folder} holds no pictures of faces to learn from", "set adapt.rounds=0"
        )
    # The crops were described by the run's own settings: they hold, backbone and all.
    embed = recorded_settings(found.folder, EmbedConfig, "embed")
    config = config.model_copy(update={"embed": embed})
    device = pick_device(config.device)
    backbone = LazyBackbone(embed.backbone, device)
    check_settings(config, found.folder)
    film = Pooled(found.tracks, found.embeddings, found.views, found.weights, found.pictures)
    with joined(device) as ranks:
        if ranks.first:
            with Run.open(found.folder, config, hook) as run:
                run.describe()
                find_characters(run, film, backbone, ranks, supplies)
                finish(run.folder)
        elif learns(config):
            learn(Run(Store(found.folder), config, silent), film, backbone, ranks, supplies)
        ranks.wait()  # for the first one, which writes
    return open_run(found.folder)


def processes(config: Config, device: str) -> int:
    """Return how many processes share long steps: a GPU is shared by none."""
    if config.engine != "processes" and device != "cpu":
        raise ConfigError(f"engine={config.engine} is for the CPU alone", "say --device cpu")
    return config.processes or (usable() if device == "cpu" else 1)
