"""Rows of published ONNX face-ID models, read by the importer in ``models/onnx/``.

Both hashes are those that their repositories publish for Git's large files.
"""

from __future__ import annotations

from videoclusternet.models.spec import ModelSpec, WeightFile

_ZOO = "https://github.com/opencv/opencv_zoo/raw/47534e27c9851bb1128ccc0102f1145e27f23f98"
_AURAFACE = "hf:fal/AuraFace-v1@af6d057c9b0ec4071d4c49c80e3539258798b609"

ONNX_MODELS: tuple[ModelSpec, ...] = (
    ModelSpec(
        name="auraface",
        kind="backbone",
        title="AuraFace v1, R100, 65.2 M parameters",
        files=(
            WeightFile(
                "glintr100.onnx",
                "a7933ea5330113b01c9b60351d8f4c33003f145d8470ac5f0e52ee2effe25c60",
                f"{_AURAFACE}:glintr100.onnx",
            ),
        ),
        licence="Apache-2.0",
        commercial="yes",
        note="its makers say: trained on commercially and publicly available data",
        size=112,
        dim=512,
        mean=(127.5, 127.5, 127.5),
        scale=127.5,
    ),
    ModelSpec(
        name="sface",
        kind="backbone",
        title="SFace of the OpenCV Zoo, 9.6 M parameters",
        files=(
            WeightFile(
                "face_recognition_sface_2021dec.onnx",
                "0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79",
                f"{_ZOO}/models/face_recognition_sface/face_recognition_sface_2021dec.onnx",
            ),
        ),
        licence="Apache-2.0",
        commercial="yes",
        note="its makers do not say which research data it was trained on",
        # OpenCV swaps its BGR before this network, which scales the values itself.
        size=112,
        dim=128,
    ),
)
