"""Transforms drawn from a list: AutoAugment, RandAugment, and transforms in any order."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmcv.transforms import Compose
from mmcv.transforms import RandomChoice as CvRandomChoice
from mmcv.transforms.utils import cache_randomness
from numpy.typing import NDArray

from mmdet_lite.datasets.transforms.results import Results
from mmdet_lite.registry import TRANSFORMS

# name, prob, level. Source: policy v0 of the code published with AutoAugment (Cubuk et al. 2018),
# which is MMDetection 3's default too.
POLICIES = """
Equalize 0.8 1 ShearY 0.8 4 | Color 0.4 9 Equalize 0.6 3 | Color 0.4 1 Rotate 0.6 8 |
Solarize 0.8 3 Equalize 0.4 7 | Solarize 0.4 2 Solarize 0.6 2 | Color 0.2 0 Equalize 0.8 8 |
Equalize 0.4 8 SolarizeAdd 0.8 3 | ShearX 0.2 9 Rotate 0.6 8 | Color 0.6 1 Equalize 1.0 2 |
Invert 0.4 9 Rotate 0.6 0 | Equalize 1.0 9 ShearY 0.6 3 | Color 0.4 7 Equalize 0.6 0 |
Posterize 0.4 6 AutoContrast 0.4 7 | Solarize 0.6 8 Color 0.6 9 | Solarize 0.2 4 Rotate 0.8 9 |
Rotate 1.0 7 TranslateY 0.8 9 | ShearX 0.0 0 Solarize 0.8 4 | ShearY 0.8 0 Color 0.6 4 |
Color 1.0 0 Rotate 0.6 2 | Equalize 0.8 4 Equalize 0.0 8 | Equalize 1.0 4 AutoContrast 0.6 2 |
ShearY 0.4 7 SolarizeAdd 0.6 7 | Posterize 0.8 2 Solarize 0.6 10 |
Solarize 0.6 8 Equalize 0.6 1 | Color 0.8 6 Rotate 0.4 5
"""
SPACE = (
    "AutoContrast Equalize Invert Rotate Posterize Solarize SolarizeAdd Color Contrast Brightness "
    "Sharpness ShearX ShearY TranslateX TranslateY"
)


def default_policies() -> list[list[dict[str, Any]]]:
    """The 25 policies of AutoAugment, as configs of pairs of transforms."""
    policies = []
    for line in POLICIES.split("|"):
        words = iter(line.split())
        policies.append(
            [
                {"type": name, "prob": float(prob), "level": int(level)}
                for name, prob, level in zip(words, words, words, strict=True)
            ]
        )
    return policies


def default_space() -> list[list[dict[str, Any]]]:
    """The 15 transforms of RandAugment, as configs, each at a magnitude drawn anew."""
    return [[{"type": name}] for name in SPACE.split()]


@TRANSFORMS.register_module()
class AutoAugment(CvRandomChoice):
    """Apply one policy, a list of transforms one after the other, drawn at random.

    Args:
        policies: lists of transforms or of their configs; None: the 25 of the paper.
        prob: how often each is drawn, in sum 1; None: all as often.

    Raises:
        ValueError: no policies, or ``prob`` that does not fit them.

    Source: Cubuk et al. 2018; arguments are MMDetection 3's.
    """

    def __init__(
        self, policies: Sequence[Any] | None = None, prob: Sequence[float] | None = None
    ) -> None:
        _check_choices("AutoAugment", "policies", policies, prob)
        super().__init__(_built(default_policies() if policies is None else policies))
        self.prob = prob

    def __repr__(self) -> str:
        return f"AutoAugment(policies={self.transforms}, prob={self.prob})"


@TRANSFORMS.register_module()
class RandAugment(CvRandomChoice):
    """Apply some of many transforms, drawn without repetition, in the order in which they came.

    Args:
        aug_space: transforms or their configs, or lists of these; None: the 15 of the paper.
        aug_num: how many.
        prob: how often each is drawn, in sum 1; None: all as often.

    Raises:
        ValueError: nothing to draw from, fewer than ``aug_num``, or ``prob`` that does not fit.

    Source: Cubuk et al. 2019; arguments are MMDetection 3's.
    """

    def __init__(
        self,
        aug_space: Sequence[Any] | None = None,
        aug_num: int = 2,
        prob: Sequence[float] | None = None,
    ) -> None:
        _check_choices("RandAugment", "aug_space", aug_space, prob)
        super().__init__(_built(default_space() if aug_space is None else aug_space))
        if not 1 <= aug_num <= len(self.transforms):
            raise ValueError(
                f"RandAugment: aug_num must be in 1..{len(self.transforms)}, the length of "
                f"aug_space; got {aug_num}"
            )
        self.aug_num = aug_num
        self.prob = prob

    @cache_randomness
    def random_pipeline_index(self) -> NDArray[np.int64]:
        """Draw the positions of the transforms."""
        return np.random.choice(len(self.transforms), self.aug_num, replace=False, p=self.prob)

    def transform(self, results: Results) -> Results | None:
        """Apply them; gives None where one does."""
        current: Results | None = results
        for position in self.random_pipeline_index():
            current = None if current is None else self.transforms[position](current)
        return current

    def __repr__(self) -> str:
        return f"RandAugment(aug_space={self.transforms}, aug_num={self.aug_num}, prob={self.prob})"


@TRANSFORMS.register_module()
class RandomOrder(Compose):
    """Apply all transforms, in an order drawn anew each time.

    Args:
        transforms: transforms or their configs.

    Source: arguments are MMDetection 3's.
    """

    def __init__(self, transforms: Sequence[Any]) -> None:
        super().__init__([_built_one(one) for one in transforms])

    @cache_randomness
    def _draw_order(self) -> NDArray[np.int64]:
        return np.random.permutation(len(self.transforms))

    def transform(self, results: Results) -> Results | None:
        """Apply them; gives None where one does."""
        current: Results | None = results
        for position in self._draw_order():
            current = None if current is None else self.transforms[position](current)
        return current


def _built(choices: Sequence[Any]) -> list[list[Any]]:
    """Build by our registry, also where no default scope is set."""
    return [
        [_built_one(one) for one in (choice if isinstance(choice, list | tuple) else [choice])]
        for choice in choices
    ]


def _built_one(transform: Any) -> Any:
    return TRANSFORMS.build(transform) if isinstance(transform, dict) else transform


def _check_choices(
    name: str, argument: str, choices: Sequence[Any] | None, prob: Sequence[float] | None
) -> None:
    """Raise ValueError unless there is something to draw, as often as ``prob`` says."""
    if choices is not None and not (isinstance(choices, list | tuple) and choices):
        raise ValueError(
            f"{name}: {argument} must be a list of transforms that is not empty; got {choices!r}"
        )
    if prob is None:
        return
    if choices is None or len(prob) != len(choices) or not math.isclose(sum(prob), 1):
        number = "its default" if choices is None else len(choices)
        raise ValueError(
            f"{name}: prob needs one number for each of {argument} ({number}), in sum 1; "
            f"got {list(prob)}"
        )
