"""Rows of the face-ID models that the paper uses: ArcFace, AdaFace, VGGFace2, FaRL.

None of their releases publishes a hash.
"""

from __future__ import annotations

from videoclusternet.models.spec import ModelSpec, WeightFile

_INSIGHTFACE = "https://github.com/deepinsight/insightface/tree/master/recognition/arcface_torch"
_ALBANIE = "https://www.robots.ox.ac.uk/~albanie/models/pytorch-mcn"
_FARL = "https://github.com/FacePerceiver/FaRL/releases/download/pretrained_weights"
_VGG_MEAN = (131.0912, 103.8827, 91.4953)


def _arcface(layers: int, millions: float) -> ModelSpec:
    return ModelSpec(
        name=f"arcface-r{layers}",
        kind="backbone",
        title=f"ArcFace R{layers}, {millions} M parameters",
        files=(WeightFile(f"arcface_r{layers}.pth", "", f"user:{_INSIGHTFACE}#model-zoo"),),
        licence="research only",
        commercial="no",
        note="backbone.pth of a folder of that depth, under another name",
        size=112,
        dim=512,
        mean=(127.5, 127.5, 127.5),
        scale=127.5,
    )


def _vggface2(kind: str, title: str) -> ModelSpec:
    file = f"{kind}_ft_dag.pth"
    return ModelSpec(
        name=f"vggface2-{kind}",
        kind="backbone",
        title=title,
        files=(WeightFile(file, "", f"{_ALBANIE}/{file}"),),
        licence="research only",
        commercial="no",
        note="files of 256 and 128 values are taken as well",
        size=224,
        dim=2048,
        mean=_VGG_MEAN,
    )


PAPER_MODELS: tuple[ModelSpec, ...] = (
    _arcface(50, 43.6),
    _arcface(100, 65.2),
    ModelSpec(
        name="adaface-ir101",
        kind="backbone",
        title="AdaFace IR-101, 65.2 M parameters",
        files=(
            WeightFile(
                "adaface_ir101_ms1mv2.ckpt",
                "",
                "user:https://drive.google.com/file/d/1m757p4-tUU5xlSHLaO04sqnhvqankimN",
            ),
        ),
        licence="MIT",
        # The licence is that of the code; whoever made MS1MV2 allows models trained on it
        # for non-commercial research only.
        commercial="no",
        note="trained on MS1MV2, research data",
        size=112,
        dim=512,
        channels="BGR",
        mean=(127.5, 127.5, 127.5),
        scale=127.5,
    ),
    _vggface2("resnet50", "VGGFace2 ResNet-50, 23.5 M parameters"),
    _vggface2("senet50", "VGGFace2 SE-ResNet-50, 26.0 M parameters"),
    ModelSpec(
        name="farl",
        kind="backbone",
        title="FaRL ViT-B/16, 86.2 M parameters",
        files=(
            WeightFile(
                "FaRL-Base-Patch16-LAIONFace20M-ep64.pth",
                "",
                f"{_FARL}/FaRL-Base-Patch16-LAIONFace20M-ep64.pth",
            ),
        ),
        licence="MIT",
        commercial="yes",
        note="licence of the repository; trained on LAION-Face, pictures from the web",
        size=224,
        dim=512,
        mean=(122.7709, 116.7460, 104.0937),
        scale=(68.5005, 66.6322, 70.3232),
    ),
)
