"""What the config of a resumed run says otherwise than that of the run which stopped."""

import ast
from collections.abc import Mapping
from typing import Any

COMPARED = ("model", "train_dataloader", "optim_wrapper", "param_scheduler", "train_cfg")
# the state of the optimizer, which is resumed, holds the values of all these
OF_THE_CHECKPOINT = ("optim_wrapper.optimizer.", "optim_wrapper.paramwise_cfg.")
_SHOWN = 20


def changed_settings_text(saved_config: str, cfg: Mapping[str, Any], checkpoint: str) -> str | None:
    """One line for each setting that changed, with the value that holds.

    Args:
        saved_config: the config's text as a checkpoint keeps it.
        cfg: config of this run, as the Runner will get it.
        checkpoint: the file resumed from, for the text.

    Returns:
        None where nothing changed, or the saved text is none that a config is written as.
    """
    from mmdet_lite.config import differences  # imported late, so that --help is quick

    saved = read_literals(saved_config)
    before = {key: saved[key] for key in COMPARED if key in saved}
    now = {key: cfg[key] for key in COMPARED if cfg.get(key) is not None}
    changed = list(differences(before, now))
    if not before or not changed:
        return None
    lines = []
    kept = False
    for key, old, new in changed[:_SHOWN]:
        holds = key.startswith(OF_THE_CHECKPOINT)
        kept = kept or holds
        lines.append(f"\n  {key}: {old} -> {new}" + (f"; {old} stays" if holds else ""))
    more = f"\n  and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else ""
    hint = (
        "\nWhat stays is in the optimizer's state. To train with the new value, start a new "
        f"training from the weights: --load-from {checkpoint} --work-dir ANOTHER_FOLDER"
    )
    return (
        "WARNING: these settings differ from those of the run that is resumed:"
        f"{''.join(lines)}{more}{hint if kept else ''}"
    )


def read_literals(text: str) -> dict[str, Any]:
    """The variables of a dumped config, read without running it; {} for text of another form.

    >>> read_literals("a = dict(b=[1, dict(c='d')])")
    {'a': {'b': [1, {'c': 'd'}]}}
    """
    try:
        body = ast.parse(text).body
        return {
            target.id: _literal(node.value)
            for node in body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
    except (SyntaxError, ValueError):
        return {}


def _literal(node: ast.expr) -> Any:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "dict":
        return {str(word.arg): _literal(word.value) for word in node.keywords}
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        return {_literal(k): _literal(v) for k, v in pairs if k is not None}
    if isinstance(node, ast.List | ast.Tuple):
        return [_literal(item) for item in node.elts]
    return ast.literal_eval(node)
