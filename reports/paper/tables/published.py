"""Numbers printed in the paper: Zhang, Tsang, Li, Liu, Lu, Yu, Face Hallucination with Finishing Touches, TIP 30, 2021.

Digits are as printed, mistakes included; `NOTES` says which. They are of the paper's own data, splits and networks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reports.paper.tables.methods import F_SR, JOINT, LR, OTHER, SR_F

Key = tuple[str, str]
"""Block and name of a row."""
Published = Mapping[Key, Mapping[str, tuple[str, ...]]]
"""Printed texts by row and column: one text for each part of the cell."""

NOTES: Mapping[str, tuple[str, ...]] = {
    "I": ("F of the published rows is DR-GAN.",),
    "II": ("F of the published rows is DR-GAN.",),
    "IV": (
        "Published as printed: parameters in KB (TANN's 196.231 with a point); PSNR of F+SR / SR+F, whose order "
        "contradicts Table I; WaveletSRnet's 21.097 is 21.079 there.",
    ),
    "VI": ("The published figures are by SphereFace, with a CycleGAN between gallery and hallucinated faces.",),
    "VII": ("The published figures are means of ten folds, by VGG-VD-16.",),
}

_SR = ("Bicubic", "SRGAN", "CBN", "WaveletSRnet", "TDAE")
_FIRST, _SECOND = F_SR.format("DR-GAN"), SR_F.format("DR-GAN")

_TABLE_1 = """
Bicubic      21.352 0.803 21.670 0.812 21.055 0.802 18.991 0.730 19.125 0.738 20.956 0.799
SRGAN        21.562 0.804 21.328 0.809 20.996 0.800 19.235 0.733 19.958 0.744 20.072 0.794
CBN          21.974 0.806 20.846 0.792 20.073 0.794 20.251 0.752 20.006 0.749 19.784 0.783
WaveletSRnet 22.839 0.811 22.005 0.817 21.831 0.817 21.164 0.798 20.752 0.762 21.079 0.805
TDAE         22.649 0.824 22.124 0.819 20.708 0.796 20.032 0.749 20.353 0.753 20.353 0.796
TANN         24.426 0.831 23.748 0.845 25.690 0.870
VividGAN†    21.078 0.805 21.264 0.810 22.181 0.832
VividGAN     26.289 0.876 26.452 0.881 26.965 0.893
"""

_YAWS = (22, 40, 55, 75)
_TABLE_2_F_SR = """
Bicubic 21.648/0.817 22.341/0.800 21.167/0.815 21.976/0.788 20.004/0.798 19.678/0.761 18.982/0.791 18.904/0.749
SRGAN 21.877/0.819 22.109/0.797 21.032/0.814 21.893/0.787 18.989/0.790 19.241/0.752 17.335/0.758 18.036/0.741
CBN 21.004/0.814 22.843/0.806 20.838/0.810 22.132/0.798 19.104/0.793 18.947/0.749 17.893/0.780 17.405/0.733
WaveletSRnet 22.951/0.829 24.005/0.826 22.004/0.822 23.346/0.817 20.752/0.808 19.901/0.762 19.004/0.792 18.536/0.747
TDAE 21.728/0.818 22.903/0.810 21.003/0.814 22.142/0.798 19.652/0.794 19.096/0.751 18.126/0.785 18.002/0.740
"""
_TABLE_2_SR_F = """
Bicubic 21.049/0.816 20.052/0.749 21.040/0.815 19.233/0.729 19.901/0.795 17.036/0.703 17.452/0.760 16.021/0.683
SRGAN 21.080/0.816 20.991/0.764 20.562/0.809 20.148/0.750 19.073/0.790 18.200/0.718 17.066/0.756 17.005/0.700
CBN 20.683/0.802 20.984/0.763 19.991/0.806 20.571/0.761 18.392/0.787 18.852/0.731 16.183/0.702 17.003/0.699
WaveletSRnet 22.004/0.822 22.341/0.798 21.358/0.818 21.860/0.772 19.996/0.796 18.741/0.729 17.742/0.764 16.975/0.692
TDAE 21.758/0.819 21.042/0.767 21.041/0.815 20.248/0.752 19.425/0.792 18.015/0.716 17.002/0.755 16.897/0.690
"""
_TABLE_2_JOINT = """
TANN 26.709/0.882 24.923/0.866 25.910/0.874 24.052/0.852 25.362/0.870 23.104/0.841 24.975/0.868 22.621/0.834
VividGAN 28.254/0.902 27.490/0.893 27.792/0.898 26.601/0.884 26.667/0.889 25.712/0.876 26.105/0.882 25.039/0.869
"""

_TABLE_3 = """
minus   23.017 0.779 22.945 0.773
dagger  24.332 0.803 23.981 0.798
ddagger 25.998 0.845 25.057 0.804
star    26.055 0.874 26.128 0.885
full    26.289 0.876 26.965 0.893
"""

_TABLE_4 = """
SRGAN        278,758   30.41 20.072/20.996
CBN          270,562 2028.23 19.784/20.073
WaveletSRnet 324,458   31.68 21.097/21.831
TDAE         286,293   50.42 20.353/20.708
TANN         196.231   15.60 25.690
VividGAN†    103,473   13.12 22.181
VividGAN     242,089   19.25 26.965
"""

_TABLE_5 = """
multipie  337     157,617 50      5,000  C
mmi       75      7,200   16      896    C
celeba    10,177  202,599 1,000   8,000  U
tinyface  5,139   169,403 157,871 3728   U
dronesurf 58      786,813 24      48,000 U
ijbc      3,531   148,800 19,593_templates - U
"""
PARTITION_COLUMNS = ("identities", "images", "gallery", "probe", "capture")
"""Columns of Table V: of the whole data set, of its testing part, and under-controlled (C) or unconstrained (U)."""

_TABLE_6 = {
    ("multipie", "celeba", "mmi"): """
LR       51.08% 62.34% 40.26% 48.70%  3.85%  9.60%  1.75%  6.15% 11.28% 18.42%  8.71% 13.73%
TANN     74.04% 80.32% 68.50% 73.16% 83.40% 89.55% 81.35% 86.70% 68.30% 79.13% 59.71% 67.97%
VividGAN 85.36% 88.04% 82.28% 84.64% 87.60% 91.85% 84.20% 89.30% 79.13% 90.74% 70.20% 84.15%
""",
    ("tinyface", "dronesurf", "ijbc"): """
LR       22.96% 25.70% 22.96% 25.70% 15.82% 27.07% 15.82% 27.07% 70.09% 76.33% 57.26% 63.17%
TANN     35.72% 40.24% 30.55% 34.09% 18.43% 32.01% 17.57% 30.61% 81.32% 85.59% 78.94% 82.60%
VividGAN 47.16% 56.04% 45.57% 51.82% 19.65% 35.42% 18.54% 33.40% 85.65% 90.13% 82.18% 86.32%
""",
}

_TABLE_7 = """
Bicubic      26.08% 27.95%
SRGAN        31.26% 33.02%
CBN          29.30% 30.17%
WaveletSRnet 35.58% 37.34%
TDAE         34.72% 35.69%
"""
_TABLE_7_REST: Mapping[Key, str] = {
    (JOINT, "TANN"): "56.70%",
    (OTHER, "Non-frontal LR"): "23.46%",
    (OTHER, "Frontal HR"): "94.62%",
    (JOINT, "VividGAN"): "88.53%",
}

FIGURE_8: Mapping[str, tuple[str, str]] = {
    "v-tn": ("25.784", "0.870"),
    "full": ("26.289", "0.876"),
    "v+gt": ("28.405", "0.902"),
}
"""PSNR and SSIM by variant, on Multi-PIE."""


def table_1() -> Published:
    """Columns: ``multipie``, ``mmi``, ``celeba``; parts PSNR and SSIM."""
    columns: dict[Key, dict[str, tuple[str, ...]]] = {}
    for name, values in _lines(_TABLE_1):
        halves = {_FIRST: values[:6], _SECOND: values[6:]} if name in _SR else {JOINT: values}
        for block, part in halves.items():
            columns[block, name] = {
                data: (part[2 * at], part[2 * at + 1]) for at, data in enumerate(("multipie", "mmi", "celeba"))
            }
    return columns


def table_2() -> Published:
    """Columns: ``celeba@22``, ``mmi@22``, ``celeba@40``...; parts PSNR and SSIM."""
    columns = [f"{data}@{yaw}" for yaw in _YAWS for data in ("celeba", "mmi")]
    return {
        (block, name): {
            column: tuple(value.split("/")) for column, value in zip(columns, values, strict=True)
        }
        for block, text in ((_FIRST, _TABLE_2_F_SR), (_SECOND, _TABLE_2_SR_F), (JOINT, _TABLE_2_JOINT))
        for name, values in _lines(text)
    }  # fmt: skip


def table_3() -> Published:
    """Rows by name of a variant (without block); columns ``multipie``, ``celeba``; parts PSNR and SSIM."""
    return {("", name): {"multipie": (v[0], v[1]), "celeba": (v[2], v[3])} for name, v in _lines(_TABLE_3)}


def table_4() -> Published:
    """Columns ``parameters`` (KB), ``ms``, ``psnr_db``; those of chains are printed once for both orders."""
    rows: dict[Key, dict[str, tuple[str, ...]]] = {}
    for name, (size, ms, psnr) in _lines(_TABLE_4):
        both = psnr.split("/")
        for at, block in enumerate((_FIRST, _SECOND) if name in _SR else (JOINT,)):
            rows[block, name] = {"parameters": (f"{size} KB",), "ms": (ms,), "psnr_db": (both[at],)}
    return rows


def table_5() -> Published:
    """Rows by name of a data set (without block); columns `PARTITION_COLUMNS`."""
    return {
        ("", name): {
            column: (value.replace("_", " "),)
            for column, value in zip(PARTITION_COLUMNS, values, strict=True)
            if value != "-"
        }
        for name, values in _lines(_TABLE_5)
    }  # fmt: skip


def table_6() -> Published:
    """Columns ``multipie@4``, ``multipie@8``...; parts rank-1 and rank-5."""
    rows: dict[Key, dict[str, tuple[str, ...]]] = {}
    for names, text in _TABLE_6.items():
        columns = [f"{name}@{scale}" for name in names for scale in (4, 8)]
        for name, values in _lines(text):
            row = rows.setdefault((LR, "LR face") if name == "LR" else (JOINT, name), {})
            row |= {column: (values[2 * at], values[2 * at + 1]) for at, column in enumerate(columns)}
    return rows


def table_7() -> Published:
    """One column, ``accuracy``."""
    rows = {
        (block, name): {"accuracy": (values[at],)}
        for name, values in _lines(_TABLE_7)
        for at, block in enumerate((_FIRST, _SECOND))
    }
    return rows | {key: {"accuracy": (value,)} for key, value in _TABLE_7_REST.items()}


def _lines(text: str) -> Sequence[tuple[str, list[str]]]:
    return [(parts[0], parts[1:]) for line in text.strip().splitlines() if (parts := line.split())]
