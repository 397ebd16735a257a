"""``mmdet-lite train CONFIG``: train a detector."""

import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmdet_lite.cli.front_door import (
    USER_ERRORS,
    CommandParser,
    add_config_options,
    interruption,
    keep_local_rank,
    parse_overrides,
    run_command,
    say,
)

AUTO = "auto"
ALWAYS_ON_HOOKS = ("CheckInvalidLossHook", "NumClassCheckHook")


def main(argv: Sequence[str] | None = None) -> int:
    """Train as the arguments say; returns the exit status (see ``run_command``)."""
    args = parse_args(argv)
    return run_command("train", lambda: train(args))


def parse_args(argv: Sequence[str] | None) -> Namespace:
    """The flags, older spellings translated and said once."""
    parser = CommandParser("mmdet-lite train", description="Train a detector.")
    parser.add_argument("config", help="config file, or a name of the model zoo")
    add_config_options(parser)
    parser.add_argument("--amp", action="store_true", help="half precision: fp16, on CPU bf16")
    parser.add_argument(
        "--auto-scale-lr",
        action="store_true",
        help="scale the learning rate by this run's batch size",
    )
    parser.add_argument(
        "--resume",
        nargs="?",
        const=AUTO,
        metavar="CKPT",
        help="go on from CKPT, without CKPT from the latest checkpoint in the work dir",
    )
    parser.add_argument(
        "--load-from", metavar="CKPT", help="start from these weights: file, address or name"
    )
    parser.add_argument("--no-validate", action="store_true", help="do not validate")
    parser.add_argument("--resume-from", metavar="CKPT", help="older spelling of --resume CKPT")
    parser.add_argument("--options", nargs="+", help="older spelling of --cfg-options")
    parser.add_argument("--gpus", type=int, help="older flag; more than 1: tools/dist_train.sh")
    args = parser.parse_args(argv)
    if args.gpus is not None:
        if args.gpus > 1:
            parser.error(f"--gpus {args.gpus} is now: tools/dist_train.sh CONFIG {args.gpus}")
        say("--gpus 1 is no longer needed")
    if args.resume_from is not None:
        say(f"--resume-from {args.resume_from} is now --resume {args.resume_from}")
        args.resume = args.resume or args.resume_from
    if args.options is not None:
        say("--options is now --cfg-options")
        args.cfg_options = [*(args.cfg_options or []), *args.options]
    if args.resume and args.load_from:
        parser.error("--resume continues a training, --load-from starts one: give one of them")
    return args


def train(args: Namespace) -> int:
    """Load the config, apply the flags, train."""
    keep_local_rank(args.local_rank)
    from mmengine.dist import get_world_size
    from mmengine.runner import Runner

    from mmdet_lite.checkpoint import config_by_name
    from mmdet_lite.config import load_config
    from mmdet_lite.engine import init_launcher, leave_process_group, stopped_by_sigterm

    config = config_by_name(args.config)
    cfg = apply_flags(load_config(config, parse_overrides(args.cfg_options)), args)
    with stopped_by_sigterm():
        try:
            if not choose_start(cfg, args):
                return 0
            cfg = with_data_classes(cfg)
            init_launcher(args.launcher, (cfg.get("env_cfg") or {}).get("dist_cfg"))
            fit_device(cfg, args.launcher)
            apply_learning_rate(cfg, get_world_size())
            runner = Runner.from_cfg(cfg)
            _run(runner)
            _say_results(runner)
        except BaseException as error:
            if interruption(error) is not None:
                say(f"to go on: mmdet-lite train {args.config} --work-dir {cfg.work_dir} --resume")
            raise
        finally:
            leave_process_group()
    return 0


def apply_flags(cfg: Any, args: Namespace) -> Any:
    """A copy of the config with the flags in it, and with the hooks that are always on.

    Raises:
        ValueError: if ``--amp`` meets another optimizer wrapper than the plain one.
    """
    cfg = cfg.copy()
    cfg.launcher = args.launcher
    cfg.work_dir = args.work_dir or cfg.get("work_dir") or f"./work_dirs/{Path(args.config).stem}"
    if args.amp:
        _use_amp(cfg)
    if args.auto_scale_lr:
        cfg.auto_scale_lr = {**(cfg.get("auto_scale_lr") or {}), "enable": True}
    if args.no_validate:
        cfg.val_dataloader = cfg.val_cfg = cfg.val_evaluator = None
    if args.load_from:
        cfg.load_from = args.load_from
    hooks = list(cfg.get("custom_hooks") or [])
    present = {hook.get("type") for hook in hooks}
    cfg.custom_hooks = hooks + [{"type": name} for name in ALWAYS_ON_HOOKS if name not in present]
    _set_checkpoint_defaults(cfg)
    return cfg


def _use_amp(cfg: Any) -> None:
    kind = cfg.optim_wrapper.get("type", "OptimWrapper")
    if kind == "AmpOptimWrapper":
        say("--amp: the config uses AmpOptimWrapper already")
        return
    if kind != "OptimWrapper":
        raise ValueError(f"--amp works with optim_wrapper.type='OptimWrapper', got {kind!r}")
    cfg.optim_wrapper.type = "AmpOptimWrapper"
    cfg.optim_wrapper.setdefault("loss_scale", "dynamic")


def _set_checkpoint_defaults(cfg: Any) -> None:
    hooks = dict(cfg.get("default_hooks") or {})
    hooks.setdefault("checkpoint", {"type": "CheckpointHook", "interval": 1})
    if hooks["checkpoint"] is not None:
        checkpoint = dict(hooks["checkpoint"])
        if cfg.get("val_evaluator") is None:
            checkpoint.pop("save_best", None)
        else:
            checkpoint.setdefault("save_best", "auto")
        hooks["checkpoint"] = checkpoint
    cfg.default_hooks = hooks


def choose_start(cfg: Any, args: Namespace) -> bool:
    """Set ``resume`` and ``load_from`` in ``cfg``; False if that training is finished already.

    Raises:
        FileNotFoundError: if there is nothing to resume, or no such file.
        ValueError: if the file cannot be resumed from.
    """
    if not args.resume and not cfg.get("resume"):
        if "://" not in (cfg.get("load_from") or "://"):
            from mmdet_lite.checkpoint import local_checkpoint

            local_checkpoint(cfg.load_from)
        return True
    from mmdet_lite.checkpoint import find_resume_checkpoint, read_resume_meta

    chosen = args.resume if args.resume and args.resume != AUTO else None
    if chosen is None and not args.resume:
        chosen = cfg.get("load_from")
    if chosen is not None:
        path, meta = chosen, read_resume_meta(chosen)
    else:
        found, meta, problems = find_resume_checkpoint(cfg.work_dir)
        path = str(found)
        for problem in problems:
            say(f"passed over: {problem}")
    say(f"resuming from {path} (epoch {meta['epoch']}, iteration {meta['iter']})")
    cfg.resume, cfg.load_from = True, path
    if meta.get("seed") is not None:  # the order of the data depends on it
        cfg.randomness = {**(cfg.get("randomness") or {}), "seed": meta["seed"]}
    return not _finished(cfg, meta)


def _finished(cfg: Any, meta: dict[str, Any]) -> bool:
    key = "max_epochs" if "max_epochs" in cfg.train_cfg else "max_iters"
    done, total = meta["epoch" if key == "max_epochs" else "iter"], cfg.train_cfg.get(key)
    if total is None or done < total:
        return False
    validated = Path(cfg.work_dir) / "last_validation"
    text = validated.read_text(encoding="utf-8").strip() if validated.is_file() else ""
    if cfg.get("val_evaluator") is not None and text != f"iter {meta['iter']}":
        return False
    say(
        f"this training is finished, at {done} of {total} {key.removeprefix('max_')}; to go on "
        f"raise train_cfg.{key} (--cfg-options train_cfg.{key}={2 * total})"
    )
    return True


def with_data_classes(cfg: Any) -> Any:
    """A copy of ``cfg`` whose heads have the number of classes of the training data."""
    from mmdet_lite.config import fill_num_classes
    from mmdet_lite.datasets import dataset_classes

    classes = dataset_classes(cfg.train_dataloader.dataset)
    return fill_num_classes(cfg, len(classes), "train_dataloader.dataset")


def fit_device(cfg: Any, launcher: str) -> None:
    """Without a GPU: gloo in place of NCCL, and a data-parallel wrapper without device numbers."""
    import torch

    if torch.cuda.is_available() or launcher == "none":
        return
    env = dict(cfg.get("env_cfg") or {})
    cfg.env_cfg = {**env, "dist_cfg": {**(env.get("dist_cfg") or {}), "backend": "gloo"}}
    given = cfg.get("model_wrapper_cfg") or {
        "broadcast_buffers": False,
        "find_unused_parameters": cfg.get("find_unused_parameters", False),
    }
    cfg.model_wrapper_cfg = {"type": "MMDistributedDataParallel", **given, "device_ids": None}


def apply_learning_rate(cfg: Any, gpus: int) -> None:
    """Scale the learning rate in ``cfg`` if that is asked for; say the arithmetic or the warning.

    ``base_batch_size`` becomes this run's batch, so that training from the config kept in the work
    dir does not scale a second time.
    """
    from mmdet_lite.engine import plan_learning_rate

    plan = plan_learning_rate(cfg, gpus)
    if plan is None:
        return
    enabled = bool(cfg.auto_scale_lr.get("enable", False))
    if plan.text:
        say(plan.text if enabled else f"WARNING: {plan.text}")
    if enabled:
        cfg.optim_wrapper.optimizer.lr = plan.lr
        cfg.auto_scale_lr = {**cfg.auto_scale_lr, "enable": False, "base_batch_size": plan.batch}


def _run(runner: Any) -> None:
    """Train; what goes wrong after the first step is no question of the config."""
    try:
        runner.train()
    except USER_ERRORS as error:
        if "loop_stage" in runner.message_hub.runtime_info and runner.iter > 0:
            raise RuntimeError(
                f"training failed in iteration {runner.iter + 1}: {error}"
            ) from error
        raise


def _say_results(runner: Any) -> None:
    info = runner.message_hub.runtime_info
    for title, key in (("last checkpoint", "last_ckpt"), ("best checkpoint", "best_ckpt")):
        if info.get(key):
            say(f"{title}: {os.path.relpath(info[key])}")
    say(f"logs: {os.path.relpath(runner.log_dir)}")


if __name__ == "__main__":
    sys.exit(main())
