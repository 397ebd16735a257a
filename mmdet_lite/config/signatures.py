"""Which arguments a class or function takes, base classes included."""

import inspect
from collections.abc import Callable
from typing import Any

from mmdet_lite.ops.checks import did_you_mean, nearest_name

_NEAR_MISS = 0.85


def accepted_arguments(component: Callable[..., Any]) -> tuple[set[str], bool]:
    """Argument names of a constructor or function.

    Where a constructor passes ``**kwargs`` on, the next constructor in the method resolution order
    is read too.

    Returns:
        The names, and whether any other name is taken as well: ``**kwargs`` that go nowhere
        further, or a signature that cannot be read.
    """
    if not inspect.isclass(component):
        return _parameters(component)
    names: set[str] = set()
    for cls in component.__mro__:
        init = cls.__dict__.get("__init__")
        if init is None or cls is object:
            continue
        own, is_open = _parameters(init)
        names |= own - {"self"}
        if not is_open:
            return names, False
    # no constructor at all takes nothing; otherwise the last **kwargs is kept by its class
    return names, component.__init__ is not object.__init__


def refused_argument(component: Callable[..., Any], name: str, extra: frozenset[str]) -> str | None:
    """Why ``component`` cannot take an argument, or None where it can.

    Args:
        component: class or function.
        name: keyword as the config gives it.
        extra: names that whoever builds the component takes out before.
    """
    names, is_open = accepted_arguments(component)
    known = names | extra
    if name in known or (is_open and nearest_name(name, known, _NEAR_MISS) is None):
        return None
    said = getattr(component, "__name__", str(component))
    return f"{said} has no argument '{name}'; {did_you_mean(name, known)}"


def _parameters(function: Callable[..., Any]) -> tuple[set[str], bool]:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # a constructor written in C tells nothing
        return set(), True
    named = {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    return named, any(p.kind is p.VAR_KEYWORD for p in parameters)
