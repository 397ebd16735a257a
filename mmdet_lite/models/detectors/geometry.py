"""Do the parts of a detector fit each other: channels and strides of their feature maps?"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn


@dataclass(frozen=True)
class Maps:
    """Feature maps, finest first: their channels and strides, None where they are not known."""

    channels: list[int | None]
    strides: list[int | None]


def check_geometry(
    backbone: nn.Module, neck: nn.Module | None, parts: Mapping[str, nn.Module]
) -> None:
    """Compare what backbone and neck give with what the parts behind them were told.

    A backbone says ``out_channels`` and ``out_strides``; a neck ``in_channels``, ``out_channels``
    and, by ``strides_from``, the strides of its maps; a dense head ``in_channels`` and ``strides``;
    a RoI extractor ``out_channels`` and ``featmap_strides``. What a part does not say is not
    judged.

    Args:
        backbone: gives the first maps.
        neck: changes them, or None.
        parts: the heads, by their keys below ``model``.

    Raises:
        ValueError: something differs; with every list to write.
    """
    maps = _backbone_maps(backbone)
    faults: list[str] = []
    if neck is not None:
        faults += _neck_faults(neck, maps)
        maps = _neck_maps(neck, maps)
    if maps is not None:
        for key, part in parts.items():
            faults += _dense_faults(f"model.{key}", part, maps)
            for name, module in part.named_modules():
                if hasattr(module, "featmap_strides"):
                    stage = re.sub(r"\.\d+$", "", name)  # a cascade's have one key for all stages
                    faults += _extractor_faults(f"model.{key}.{stage}", module, maps)
    if faults:
        lines = "\n  ".join(dict.fromkeys(faults))
        raise ValueError(f"the parts of the model do not fit each other:\n  {lines}")


def _backbone_maps(backbone: nn.Module) -> Maps | None:
    channels, strides = (getattr(backbone, name, None) for name in ("out_channels", "out_strides"))
    known = channels if isinstance(channels, list) else strides
    if not isinstance(known, list):
        return None
    unknown = [None] * len(known)
    return Maps(
        list(channels) if isinstance(channels, list) else list(unknown),
        list(strides) if isinstance(strides, list) else list(unknown),
    )


def _neck_maps(neck: Any, maps: Maps | None) -> Maps | None:
    taken, given = getattr(neck, "in_channels", None), getattr(neck, "out_channels", None)
    if not (isinstance(taken, list) and isinstance(given, list) and hasattr(neck, "strides_from")):
        return None
    fits = maps is not None and len(maps.strides) == len(taken)
    strides = neck.strides_from(maps.strides if maps and fits else [None] * len(taken))
    return Maps(list(given), strides)


def _neck_faults(neck: nn.Module, maps: Maps | None) -> Iterator[str]:
    taken = getattr(neck, "in_channels", None)
    if maps is not None and isinstance(taken, list) and _differ(taken, maps.channels):
        yield (
            f"model.neck.in_channels={taken}, but the backbone gives {maps.channels} channels at "
            f"strides {maps.strides}: write in_channels={maps.channels}"
        )


def _dense_faults(where: str, head: nn.Module, maps: Maps) -> Iterator[str]:
    taken: Any = getattr(head, "in_channels", None)
    strides: Any = getattr(head, "strides", None)
    every = [taken] * len(maps.channels) if isinstance(taken, int) else taken
    if every is not None and _differ(every, maps.channels):
        wanted = _filled(maps.channels, every)
        wanted_text = wanted[0] if isinstance(taken, int) else wanted
        yield (
            f"{where}.in_channels={taken}, but the maps have {maps.channels} channels: write "
            f"in_channels={wanted_text}"
        )
    if strides is not None:
        key = "anchor_generator.strides" if hasattr(head, "anchors") else "strides"
        yield from _stride_faults(f"{where}.{key}", strides, maps.strides)


def _extractor_faults(where: str, extractor: Any, maps: Maps) -> Iterator[str]:
    pooled = len(extractor.featmap_strides)
    given = extractor.featmap_strides
    yield from _stride_faults(f"{where}.featmap_strides", given, maps.strides[:pooled])
    channels = maps.channels[:pooled]
    if _differ([extractor.out_channels] * len(channels), channels):
        yield (
            f"{where}.out_channels={extractor.out_channels}, but the maps have {channels} channels:"
            f" write out_channels={_filled(channels, [extractor.out_channels])[0]}"
        )


def _stride_faults(
    where: str, given: Sequence[int | tuple[int, int]], strides: Sequence[int | None]
) -> Iterator[str]:
    own = [min(stride) if isinstance(stride, tuple | list) else stride for stride in given]
    if _differ(own, strides):
        key = where.rpartition(".")[2]
        known = _filled(strides, own)
        there = f"{len(strides)} maps come in" + (
            f", of strides {list(strides)}: write {key}={known}" if None not in known else ""
        )
        yield f"{where}={own}, but {there}"


def _differ(told: Sequence[int], known: Sequence[int | None]) -> bool:
    """Whether two lists have other lengths, or other numbers where one is known."""
    pairs = zip(told, known, strict=False)
    return len(told) != len(known) or any(b is not None and a != b for a, b in pairs)


def _filled(known: Sequence[int | None], told: Sequence[int]) -> list[int | None]:
    """``known``, with the numbers of ``told`` where it has none."""
    return [told[i] if n is None and i < len(told) else n for i, n in enumerate(known)]
