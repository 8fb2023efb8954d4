"""What ``vcn ablate`` varies: the paper's ablations and our own.

A *variant* is a profile and settings.  Training is judged by the last good round's own
reading (``adapted/own``), so that the label-free choice cannot hide what training did.
"""

from __future__ import annotations

from dataclasses import dataclass

FORCED = ("cluster.choose=adapted/own",)
EQ2 = (
    *FORCED,
    "adapt.objective=eq2",
    "adapt.pairs=links",
    "adapt.head=residual",
    "adapt.student_temperature=0.1",
    "adapt.rounds=2",
    "adapt.own_share=0.5",
    "adapt.momentum=0.9",
    "adapt.epochs=24",
    "adapt.later_epochs=12",
    "adapt.warmup=1",
    "adapt.relative=false",
    "adapt.rate_start=1e-6",
    "adapt.rate=1e-5",
    "adapt.rate_end=1e-5",
    "adapt.batch=16",
    "adapt.anchors=1",
)
"""The paper's loss and matching, from a start that loses nobody, in many small steps.  Without a
head it collapses as soon as every crop is an anchor."""


@dataclass(frozen=True)
class Variant:
    """One row of a study.

    Attributes
    ----------
    label : str
    profile : str
    settings : tuple of str
        As after ``--set``.
    """

    label: str
    profile: str = "vcn"
    settings: tuple[str, ...] = ()

    @property
    def trains(self) -> bool:
        """Whether the face model is adapted."""
        return self.profile != "instant"


@dataclass(frozen=True)
class Study:
    """Variants that are compared.

    Attributes
    ----------
    name : str
    title : str
    variants : tuple of Variant
        The first is what others are compared with.
    rounds : bool
        Whether every round is scored, not only the last.
    """

    name: str
    title: str
    variants: tuple[Variant, ...]
    rounds: bool = False


INSTANT = Variant("instant", "instant", ("adapt.rounds=0",))
VCN = Variant("vcn", "vcn")
PAPER_PROFILE = Variant("paper", "paper")


def _varied(base: tuple[str, ...], key: str, values: tuple[str, ...]) -> tuple[Variant, ...]:
    return tuple(Variant(f"{key}={v}", "vcn", (*base, f"{key}={v}")) for v in values)


def _instant(label: str, *settings: str) -> Variant:
    return Variant(label, "instant", (*INSTANT.settings, *settings))


def _paper(label: str, *settings: str) -> Variant:
    return Variant(label, "paper", settings)


STUDIES = {
    study.name: study
    for study in (
        Study("profiles", "The three profiles (Tables 3 and 5)", (INSTANT, VCN, PAPER_PROFILE)),
        Study(
            "clustering",
            "Clustering algorithm and metric (Table 4)",
            (
                _instant("average linkage in own thresholds", "cluster.choose=frozen/own"),
                *(
                    Variant(f"paper's algorithm, {m}", "paper", (f"cluster.metric={m}",))
                    for m in ("cosine", "euclidean", "loss", "kl")
                ),
                *(
                    Variant(f"first neighbours, {m}", "vcn", (*EQ2[1:], f"cluster.metric={m}",
                            "cluster.choose=adapted/or", "cluster.teacher_temperature=0.1"))
                    for m in ("cosine", "euclidean", "loss", "kl")
                ),
            ),
        ),
        Study(
            "iterations",
            "Accuracy and cluster ratio per round (Table 11)",
            (
                Variant("vcn", "vcn", (*FORCED, "adapt.rounds=5")),
                Variant("Eq. 2 from a residual head", "vcn", (*EQ2, "adapt.rounds=5")),
                Variant("paper", "paper", ("adapt.stop=1", "adapt.guard=false")),
            ),
            rounds=True,
        ),
        Study(
            "open",
            "What the paper leaves open",
            (
                PAPER_PROFILE,
                _paper("thresholds from views", "cluster.thresholds=views"),
                _paper("first neighbours, thresholds from views",
                       "cluster.thresholds=views", "cluster.algorithm=vcn"),
                _paper("KL as metric", "cluster.metric=kl"),
                _paper("average linkage, cosine", "cluster.choose=adapted/own",
                       "cluster.metric=cosine", "cluster.thresholds=views",
                       "cluster.algorithm=vcn"),
                _paper("head reads raw embeddings", "adapt.head_reads=raw"),
                _paper("8 pairs a step", "adapt.batch=8"),
                _paper("isotropic matching", "matching.covariance=isotropic"),
                _paper("both", "adapt.batch=8", "matching.covariance=isotropic"),
                _paper("teacher moves per step", "adapt.update=step"),
                _paper("teacher moves by .99", "adapt.momentum=0.99"),
                _paper("teacher's head a copy", "adapt.teacher_head=copy"),
                _paper("targets at .1", "adapt.teacher_temperature=0.1",
                       "cluster.teacher_temperature=0.1"),
            ),
        ),
        Study(
            "objectives",
            "What is learnt, and from whom",
            (
                _instant("not adapted", "cluster.choose=frozen/own"),
                Variant("degraded looks", "vcn", FORCED),
                Variant("Eq. 2, own tracks", "vcn", (*EQ2, "adapt.pairs=own")),
                Variant("Eq. 2, coarse matches", "vcn", EQ2),
                Variant("Eq. 2, present clusters", "vcn", (*EQ2, "adapt.pairs=groups")),
            ),
        ),
        Study(
            "heads",
            "Heads",
            (
                *_varied(EQ2, "adapt.head", ("residual", "none", "mlp")),
                Variant("mlp, teacher's own", "vcn",
                        (*EQ2, "adapt.head=mlp", "adapt.teacher_head=own")),
            ),
        ),
        Study(
            "temperatures",
            "Temperatures of teacher and student",
            tuple(
                Variant(f"{t}, {s}", "vcn", (*EQ2, f"adapt.teacher_temperature={t}",
                                             f"adapt.student_temperature={s}"))
                for t, s in ((0.1, 0.1), (0.04, 0.1), (0.06, 0.06), (0.04, 1.0))
            ),
        ),
        Study(
            "teacher",
            "The moving teacher and its centre",
            (
                Variant(".9 per step", "vcn", EQ2),
                Variant(".996 per step", "vcn", (*EQ2, "adapt.momentum=0.996")),
                Variant(".9^steps per epoch", "vcn", (*EQ2, "adapt.update=epoch")),
                Variant("no centre", "vcn", (*EQ2, "adapt.centre=false")),
            ),
        ),
        Study(
            "views",
            "Views",
            (
                Variant("all teach all", "vcn", EQ2),
                Variant("mean of kinds", "vcn", (*EQ2, "adapt.average=kinds")),
                Variant("global views teach all", "vcn", (*EQ2, "adapt.teacher_views=global")),
                Variant("small pool", "vcn", (*EQ2, "adapt.pool=[2, 2]")),
            ),
        ),
        Study(
            "matching",
            "Coarse matching",
            (
                Variant("isotropic, centred", "vcn", EQ2),
                Variant("isotropic, not centred", "vcn", (*EQ2, "matching.centred=false")),
                Variant("full covariance", "vcn", (*EQ2, "matching.covariance=full")),
                *_varied(EQ2, "matching.quantile", ("0.1", "0.5")),
            ),
        ),
        Study(
            "rates",
            "How far the weights go",
            (
                *(
                    Variant(f"{rate} of each tensor", "vcn",
                            (*FORCED, f"adapt.rate={rate}", f"adapt.rate_end={rate}"))
                    for rate in ("5e-3", "2e-3", "1e-2", "2e-2")
                ),
                Variant("held back", "vcn", (*FORCED, "adapt.hold=5")),
            ),
        ),
        Study(
            "trainable",
            "What is trained",
            _varied(FORCED, "adapt.trainable", ("last-stage", "head", "all")),
        ),
        Study(
            "rules",
            "Which pairs join",
            (
                _instant("own", "cluster.choose=frozen/own"),
                *(
                    _instant(f"{space}, {rule}", f"cluster.choose={space}/{rule}")
                    for space in ("frozen", "tracks")
                    for rule in ("or", "and", "mean", "or+null", "null")
                ),
            ),
        ),
        Study(
            "closure",
            "First-neighbour rounds or plain closure, thresholds from views or crops",
            (
                _instant("first neighbours, views", "cluster.choose=frozen/or"),
                _instant("closure, views", "cluster.choose=frozen/or", "cluster.algorithm=paper"),
                _instant("closure, crops", "cluster.choose=frozen/or", "cluster.algorithm=paper",
                         "cluster.thresholds=crops"),
            ),
        ),
        Study(
            "filters",
            "Quality filter and cannot-link pairs",
            (
                INSTANT,
                _instant("nothing judged", "judge.enabled=false"),
                _instant("Eq. 4", "track_quality.enabled=true"),
                _instant("raw MAD", "track_quality.enabled=true", "track_quality.spread=mad"),
                _instant("no cannot-link", "cluster.cannot_link=false"),
            ),
        ),
    )
}  # fmt: skip
