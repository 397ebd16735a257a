"""Who set each key of a config: a line of a file, an override, or a translation of ours."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmdet_lite.config.leaves import as_lists, leaves
from mmdet_lite.config.leftovers import drop_leftovers
from mmdet_lite.config.older import OLDER_KEYS
from mmdet_lite.config.overrides import apply_overrides
from mmdet_lite.config.scope import translate_scope
from mmdet_lite.config.sources import config_files, find_config
from mmdet_lite.config.written import UNKNOWN, Written, read_written


@dataclass(frozen=True)
class Origin:
    """Where a value was written.

    Args:
        file: None for what no file holds.
        line: None where only the file is known: json, yaml, configs in mmengine's newer form.
        how: what came between, such as a translation; of an override its key.
    """

    file: Path | None = None
    line: int | None = None
    how: str = ""


def key_origins(
    path: str | Path, overrides: Mapping[str, Any] | None = None
) -> dict[str, tuple[Any, Origin]]:
    """The leaves of ``load_config(path, overrides)`` by dotted key, each with its origin.

    Variables and ``_base_.x`` are followed to the line of the value itself, which is the line to
    edit.

    Raises:
        FileNotFoundError, SyntaxError, ValueError: as ``load_config``, without its hints.
    """
    file = find_config(Path(path))[0]
    files = config_files(file)
    cfg = Config.fromfile(str(file))
    written = read_written(file.absolute())
    origins = {key: _origin(written, key, value) for key, value in leaves(cfg._cfg_dict)}
    overrides = dict(overrides or {})
    _track(
        cfg,
        origins,
        lambda: apply_overrides(cfg, overrides, files),
        lambda key: Origin(how=_override_of(key, overrides)),
    )
    for key in overrides:  # also where an override gives the value that was there
        _mark_below(origins, key, Origin(how=_override_of(key, overrides)))
    _track(cfg, origins, lambda: translate_scope(cfg), lambda key: _rescoped(origins.get(key)))
    _translate_older(cfg, origins)
    _track(cfg, origins, lambda: drop_leftovers(cfg), lambda key: Origin(how="leftovers dropped"))
    return {key: (value, origins[key]) for key, value in leaves(cfg._cfg_dict)}


def _origin(written: Written, key: str, value: Any) -> Origin:
    """The place of the innermost part of ``written`` that leads to a key."""
    node, rest = written, key
    while rest:
        names = [name for name in node.parts if rest == name or rest.startswith(f"{name}.")]
        if not names:
            break
        name = max(names, key=len)  # names may have dots of their own
        node, rest = node.parts[name], rest[len(name) + 1 :]
    how = ""
    if node is written:
        how = "or a file it is made from"
    elif node.constant is not UNKNOWN and as_lists(node.constant) != as_lists(value):
        how = "changed behind it"
    return Origin(node.file, None if node is written else node.line, how)


def _track(
    cfg: Config,
    origins: dict[str, Origin],
    change: Callable[[], Any],
    origin_of: Callable[[str], Origin],
) -> None:
    """Run ``change`` on ``cfg`` and give new origins to the leaves that it changed or made."""
    before = {key: as_lists(value) for key, value in leaves(cfg._cfg_dict)}
    change()
    after = {key: as_lists(value) for key, value in leaves(cfg._cfg_dict)}
    for key, value in after.items():
        if key not in before or before[key] != value:
            origins[key] = origin_of(key)
    for key in before.keys() - after.keys():
        del origins[key]


def _translate_older(cfg: Config, origins: dict[str, Origin]) -> None:
    """Translate key by key; what comes of one has the place of its part of the same name."""
    for old, translate in OLDER_KEYS.items():
        if old not in cfg:
            continue
        sources = {key: origins[key] for key, _ in leaves(cfg[old], old)}
        by_name = {key.split(".")[-1]: (key, origin) for key, origin in sources.items()}
        value = cfg[old]

        def change(old: str = old, value: Any = value, translate: Any = translate) -> None:
            cfg.pop(old)
            translate(cfg, value)

        def origin_of(key: str, old: str = old, by_name: Any = by_name) -> Origin:
            first = next(iter(by_name.values()))
            source, origin = by_name.get(key.split(".")[-1], (old, first[1]))
            return replace(origin, how=_joined(origin.how, f"translated from {source}"))

        _track(cfg, origins, change, origin_of)


def _override_of(key: str, overrides: Mapping[str, Any]) -> str:
    """Name the override that set ``key``: its own, or that of the pipeline it follows."""
    own = [given for given in overrides if key == given or key.startswith(f"{given}.")]
    return f"--cfg-options {max(own, key=len)}" if own else f"--cfg-options {' '.join(overrides)}"


def _mark_below(origins: dict[str, Origin], key: str, origin: Origin) -> None:
    for inner in origins:
        if inner == key or inner.startswith(f"{key}."):
            origins[inner] = origin


def _rescoped(origin: Origin | None) -> Origin:
    if origin is None:
        return Origin(how="default of this program")
    return replace(origin, how=_joined(origin.how, "scope of MMDetection translated"))


def _joined(*texts: str) -> str:
    return ", ".join(text for text in texts if text)
