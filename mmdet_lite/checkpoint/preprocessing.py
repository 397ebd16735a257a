"""How a checkpoint's images were prepared, and whether a model's are prepared alike.

A preprocessing is a dict: ``order`` ('RGB' or 'BGR'), ``mean`` and ``std`` in 0..255 in that order.
"""

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from torch import nn

Preprocessing = dict[str, Any]
# Means differ by up to 0.6 between programs that share weights (103.53 and 102.98); that is noise.
MEAN_TOLERANCE, STD_TOLERANCE = 1.0, 0.05


def stored_preprocessing(checkpoint: Mapping[str, Any]) -> Preprocessing | None:
    """What a checkpoint says of its preprocessing, or None.

    An imported one says it in ``meta['preprocessing']``. MMDetection's hold their config as text,
    in which the one ``dict(mean=..., std=...)`` is read, without running the text.
    """
    meta = checkpoint.get("meta") or {}
    if "preprocessing" in meta:
        return meta["preprocessing"] or None
    text = _config_text(checkpoint)
    found = [] if text is None else list(_normalisations(text))
    return found[0] if found and all(one == found[0] for one in found) else None


def stored_style(checkpoint: Mapping[str, Any]) -> str | None:
    """Where the strides of a checkpoint's backbone stand, by the config it carries; None if unsaid.

    See ``conventions``; the text is not run.
    """
    text = _config_text(checkpoint)
    if text is None:
        return None
    keywords = (node for node in ast.walk(_parsed(text)) if isinstance(node, ast.keyword))
    said = {
        str(node.value.value)
        for node in keywords
        if node.arg == "style" and isinstance(node.value, ast.Constant)
    }
    known = said & {"caffe", "pytorch"}
    return known.pop() if len(known) == 1 else None


def model_preprocessing(model: nn.Module) -> Preprocessing | None:
    """What ``model.data_preprocessor`` does with images loaded as BGR; None without one."""
    preprocessor: Any = getattr(model, "data_preprocessor", None)
    if not hasattr(preprocessor, "swap_channels"):
        return None
    return {
        "order": "RGB" if preprocessor.swap_channels else "BGR",
        "mean": preprocessor.mean.flatten().tolist(),
        "std": preprocessor.std.flatten().tolist(),
    }


def prepared_alike(stored: Preprocessing | None, own: Preprocessing | None) -> bool:
    """Whether weights and model see images prepared alike, as far as that is known."""
    if stored is None or own is None or len(own["mean"]) not in (1, len(stored["mean"])):
        return True  # of another number of channels the first layer fits neither
    return _alike(stored, own)


def preprocessing_options(stored: Preprocessing) -> list[str]:
    """``--cfg-options`` that make a model prepare images as ``stored`` says."""
    return [
        f"model.data_preprocessor.bgr_to_rgb={stored['order'] == 'RGB'}",
        f"model.data_preprocessor.mean={_numbers(stored['mean'])}",
        f"model.data_preprocessor.std={_numbers(stored['std'])}",
    ]


def preprocessing_text(one: Preprocessing) -> str:
    """A preprocessing for a person."""
    return f"order {one['order']}, mean {_numbers(one['mean'])}, std {_numbers(one['std'])}"


def _alike(a: Preprocessing, b: Preprocessing) -> bool:
    means = [list(_spread(one["mean"])) for one in (a, b)]
    stds = [list(_spread(one["std"])) for one in (a, b)]
    return (
        a["order"] == b["order"]
        and all(abs(x - y) <= MEAN_TOLERANCE for x, y in zip(*means, strict=True))
        and all(abs(x - y) <= STD_TOLERANCE * y for x, y in zip(*stds, strict=True))
    )


def _config_text(checkpoint: Mapping[str, Any]) -> str | None:
    """The config that a checkpoint of MMDetection's carries."""
    meta = checkpoint.get("meta") or {}
    text = meta.get("cfg", meta.get("config"))
    return text if isinstance(text, str) else None


def _spread(values: list[float]) -> list[float]:
    return list(values) * 3 if len(values) == 1 else list(values)


def _numbers(values: list[float]) -> str:
    return "[" + ",".join(f"{value:g}" for value in values) + "]"


def _normalisations(text: str) -> Iterator[Preprocessing]:
    """Each ``dict(mean=[...], std=[...], bgr_to_rgb=...)`` of a config's text."""
    for call in (node for node in ast.walk(_parsed(text)) if isinstance(node, ast.Call)):
        given = {keyword.arg: keyword.value for keyword in call.keywords}
        if not {"mean", "std"} <= set(given):
            continue
        try:
            mean, std = (ast.literal_eval(given[key]) for key in ("mean", "std"))
            swapped = any(
                ast.literal_eval(given[key]) for key in ("bgr_to_rgb", "to_rgb") if key in given
            )
        except ValueError:
            continue  # a name in place of numbers
        if isinstance(mean, list | tuple) and isinstance(std, list | tuple):
            order = "RGB" if swapped else "BGR"
            yield {"order": order, "mean": [float(m) for m in mean], "std": [float(s) for s in std]}


def _parsed(text: str) -> ast.AST:
    """The syntax tree of a config; older ones begin with a line that is the file's path."""
    for candidate in (text, "#" + text):
        try:
            return ast.parse(candidate)
        except SyntaxError:
            continue
    return ast.Module(body=[], type_ignores=[])
