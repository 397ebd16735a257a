"""Which component of a config it was whose constructor raised an error."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from mmengine.config import Config
from mmengine.registry.build_functions import build_from_cfg


@contextmanager
def errors_name_their_key(cfg: Config, source: str) -> Iterator[None]:
    """An error that a component's constructor raises in this block gets the component's key.

    Args:
        cfg: the whole config.
        source: its file, for the message.

    Raises:
        ValueError: in place of a ValueError or TypeError whose message lacks the dotted key.
    """
    try:
        yield
    except (ValueError, TypeError) as error:
        key = component_key(error, cfg._cfg_dict)
        if key is None or key in str(error):
            raise
        raise ValueError(f"{key}: {error} (config {source})") from error


def component_key(error: BaseException, cfg: Mapping[str, Any]) -> str | None:
    """The dotted key of the component that was being built when ``error`` was raised.

    Args:
        error: with its traceback.
        cfg: the whole config.

    Returns:
        None if nothing was being built, or it does not stand in the config.
    """
    wanted: Any = None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code is build_from_cfg.__code__:
            wanted = trace.tb_frame.f_locals["cfg"]
        trace = trace.tb_next
    if not isinstance(wanted, Mapping):
        return None
    alike = {key: len(node) for key, node in _components(cfg, "") if _is_made_of(wanted, node)}
    return max(alike, key=lambda key: alike[key]) if alike else None


def _components(node: Any, key: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(node, Mapping):
        if "type" in node:
            yield key, node
        for name, value in node.items():
            yield from _components(value, f"{key}.{name}" if key else str(name))
    elif isinstance(node, (list, tuple)):
        for i, item in enumerate(node):
            yield from _components(item, f"{key}.{i}")


def _is_made_of(wanted: Mapping[str, Any], node: Mapping[str, Any]) -> bool:
    """Whether ``wanted`` is ``node``, perhaps with arguments that its parent added."""
    return all(name in wanted and wanted[name] == node[name] for name in node)
