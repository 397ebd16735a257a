"""``mmdet-lite train CONFIG``: train a detector."""

import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmdet_lite.cli.changed_settings import changed_settings_text
from mmdet_lite.cli.front_door import (
    USER_ERRORS,
    CommandParser,
    add_config_options,
    interruption,
    keep_local_rank,
    make_work_dir,
    parse_overrides,
    run_command,
    say,
    say_bad_images,
    short_path,
)
from mmdet_lite.cli.start import (
    AUTO,
    Start,
    choose_start,
    finished_text,
    start_texts,
    with_start,
)
from mmdet_lite.cli.stopped import failed_in_training, go_on_text

ALWAYS_ON_HOOKS = (
    "CheckDataHook",
    "CheckInvalidLossHook",
    "NumClassCheckHook",
    "TrainingSummaryHook",
)


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
    parser.add_argument(
        "--no-check-data",
        action="store_true",
        help="train even on data that the check before the first step refuses",
    )
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
    from mmdet_lite.checkpoint import config_by_name
    from mmdet_lite.config import load_config
    from mmdet_lite.engine import leave_process_group, stopped_by_sigterm

    config = config_by_name(args.config)
    cfg = load_config(config, parse_overrides(args.cfg_options))
    needed = ("train_dataloader", "train_cfg", "optim_wrapper")
    missing = [key for key in needed if not cfg.get(key)]
    if missing:
        raise ValueError(f"{args.config} has no {', '.join(missing)}: nothing to train with")
    cfg = apply_flags(cfg, args)
    with stopped_by_sigterm():
        try:
            start = choose_start(cfg, args)
            for text in start_texts(cfg, start):
                say(text)
            finished = start.meta and finished_text(cfg, start.meta)
            if finished:
                say(finished)
                return 0
            cfg = complete_config(with_start(cfg, start), start, args.launcher)
            runner = _built(cfg, args)
            _run(runner, args)
            _say_results(runner)
        except BaseException as error:
            if interruption(error) is not None:
                say(go_on_text(args, cfg.work_dir))
            raise
        finally:
            leave_process_group()
    return 0


def complete_config(cfg: Any, start: Start, launcher: str) -> Any:
    """A copy of ``cfg`` with what depends on data, processes and batch; joins the processes."""
    from mmengine.dist import get_world_size

    from mmdet_lite.engine import fit_device, init_launcher

    cfg = with_data_classes(cfg)
    make_work_dir(cfg.work_dir)
    init_launcher(launcher, (cfg.get("env_cfg") or {}).get("dist_cfg"))
    fit_device(cfg, launcher)
    apply_learning_rate(cfg, get_world_size())
    if start.meta is not None:
        changes = changed_settings_text(str(start.meta.get("cfg")), cfg, str(start.weights))
        if changes:
            say(changes)
    return cfg


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
    if getattr(args, "no_check_data", False):
        present.add("CheckDataHook")
        hooks = [hook for hook in hooks if hook.get("type") != "CheckDataHook"]
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


def with_data_classes(cfg: Any) -> Any:
    """A copy of ``cfg`` whose heads have the number of classes of the training data."""
    from mmdet_lite.config import fill_num_classes
    from mmdet_lite.datasets import dataset_classes

    classes = dataset_classes(cfg.train_dataloader.dataset)
    return fill_num_classes(cfg, len(classes), "train_dataloader.dataset")


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


def _built(cfg: Any, args: Namespace) -> Any:
    """The Runner; a component that refuses an argument is named by its key."""
    from mmdet_lite.config import errors_name_their_key
    from mmdet_lite.engine import DetRunner

    with errors_name_their_key(cfg, args.config):
        return DetRunner.from_cfg(cfg)


def _run(runner: Any, args: Namespace) -> None:
    """Train; what goes wrong after the first step is no question of the config."""
    from mmdet_lite.config import errors_name_their_key

    try:
        with errors_name_their_key(runner.cfg, args.config):
            runner.train()
    except USER_ERRORS as error:
        if "loop_stage" in runner.message_hub.runtime_info and runner.iter > 0:
            go_on = go_on_text(args, runner.work_dir)
            raise failed_in_training(error, runner.iter, go_on) from error
        raise


def _say_results(runner: Any) -> None:
    info = runner.message_hub.runtime_info
    for title, key in (("last checkpoint", "last_ckpt"), ("best checkpoint", "best_ckpt")):
        if info.get(key):
            say(f"{title}: {short_path(info[key])}")
    say_bad_images(runner.work_dir)
    say(f"logs: {short_path(runner.log_dir)}")


if __name__ == "__main__":
    sys.exit(main())
