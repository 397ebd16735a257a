"""From which checkpoint a training starts, and what of an earlier run stands in its way."""

import copy
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import Any

AUTO = "auto"
PATTERNS = ("epoch_*.pth", "iter_*.pth", "best_*.pth")


@dataclass(frozen=True)
class Start:
    """The beginning of a training.

    ``weights`` is the file to read, None for none. ``meta`` is that of the checkpoint to go on
    from, None for a new training. ``passed_over`` says of each newer file why it is not taken.
    ``has_backbone``: the file fills the backbone, so that nothing else needs to.
    """

    weights: str | None
    meta: dict[str, Any] | None = None
    passed_over: tuple[str, ...] = ()
    has_backbone: bool = False


def choose_start(cfg: Any, args: Namespace) -> Start:
    """Find the file that the flags, or else the config, name; changes nothing.

    Raises:
        FileNotFoundError: if there is nothing to resume, or no such file.
        ValueError: if the file is no checkpoint or cannot be resumed from, or if a new training
            would mix with the files of an earlier one.
    """
    from mmdet_lite.checkpoint import find_resume_checkpoint, read_resume_meta

    if not args.resume and not cfg.get("resume"):
        _refuse_used_folder(cfg)
        whole = bool(cfg.get("load_from")) and _check_weights(cfg.load_from)
        return Start(cfg.get("load_from"), has_backbone=whole)
    chosen = args.resume if args.resume and args.resume != AUTO else None
    if chosen is None and not args.resume:
        chosen = cfg.get("load_from")
    if chosen is not None:
        return Start(chosen, read_resume_meta(chosen), has_backbone=True)
    found, meta, problems = find_resume_checkpoint(cfg.work_dir)
    return Start(str(found), meta, tuple(problems), has_backbone=True)


def with_start(cfg: Any, start: Start) -> Any:
    """A copy of ``cfg`` that begins there, with the seed of the run that goes on.

    Pretrained weights of the backbone are not fetched where the file replaces them.
    """
    cfg = copy.deepcopy(cfg)
    cfg.load_from = start.weights
    if start.has_backbone and "backbone" in cfg.get("model", {}):
        cfg.model.backbone.init_cfg = None
    if start.meta is not None:
        cfg.resume = True
        if start.meta.get("seed") is not None:  # the order of the data depends on it
            cfg.randomness = {**(cfg.get("randomness") or {}), "seed": start.meta["seed"]}
    return cfg


def start_texts(cfg: Any, start: Start) -> list[str]:
    """What to say of a resumed run, ``cfg`` being the config before ``with_start``."""
    if start.meta is None:
        return []
    meta = start.meta
    texts = [f"passed over: {problem}" for problem in start.passed_over]
    texts.append(f"resuming from {start.weights} (epoch {meta['epoch']}, iteration {meta['iter']})")
    wanted = (cfg.get("randomness") or {}).get("seed")
    if wanted is not None and meta.get("seed") not in (None, wanted):
        texts.append(
            f"WARNING: randomness.seed={wanted} is not used: the checkpoint's seed {meta['seed']} "
            "goes on"
        )
    return texts


def finished_text(cfg: Any, meta: dict[str, Any]) -> str | None:
    """How to train longer, if that training is finished and validated; else None."""
    key = "max_epochs" if "max_epochs" in cfg.train_cfg else "max_iters"
    done, total = meta["epoch" if key == "max_epochs" else "iter"], cfg.train_cfg.get(key)
    if total is None or done < total:
        return None
    validated = Path(cfg.work_dir) / "last_validation"
    text = validated.read_text(encoding="utf-8").strip() if validated.is_file() else ""
    if cfg.get("val_evaluator") is not None and text != f"iter {meta['iter']}":
        return None
    return (
        f"this training is finished, at {done} of {total} {key.removeprefix('max_')}; to go on "
        f"raise train_cfg.{key} (--cfg-options train_cfg.{key}={done + total})"
    )


def _refuse_used_folder(cfg: Any) -> None:
    """A new training in the folder of another would replace its files one by one."""
    folder = Path(cfg.work_dir)
    names = sorted(path.name for pattern in PATTERNS for path in folder.glob(pattern))
    if not names:
        return
    shown = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
    raise ValueError(
        f"the work dir {folder} holds checkpoints of an earlier training ({shown}), which a new "
        "one would replace or mix with\n"
        "  to go on with it:        add --resume\n"
        "  to start a new training: add --work-dir ANOTHER_FOLDER, or move this one away"
    )


def _check_weights(source: str) -> bool:
    """Read what ``--load-from`` names before data and model are built (addresses: later).

    Returns whether a detector's backbone is among the weights.
    """
    import torch

    from mmdet_lite.checkpoint import load_checkpoint_file, state_dict_of, weights_url

    if "://" in source:
        weights_url(source)
        return False
    weights = state_dict_of(load_checkpoint_file(source, mmap=True, quiet=True))
    if not any(isinstance(value, torch.Tensor) for value in weights.values()):
        raise ValueError(f"{source} holds no weights; it has {', '.join(list(weights)[:5])}")
    return any(key.startswith("backbone.") for key in weights)
