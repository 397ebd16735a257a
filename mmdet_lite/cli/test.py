"""``mmdet-lite test CONFIG CKPT``: evaluate a detector and write its predictions."""

import os
import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

from mmdet_lite.cli.front_door import (
    CommandParser,
    add_config_options,
    keep_local_rank,
    make_work_dir,
    metric_setting,
    parse_overrides,
    run_command,
    say,
    say_bad_images,
    short_path,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Test as the arguments say; returns the exit status (see ``run_command``)."""
    args = parse_args(argv)
    return run_command("test", lambda: test(args))


def parse_args(argv: Sequence[str] | None) -> Namespace:
    """The flags."""
    parser = CommandParser("mmdet-lite test", description="Evaluate a detector.")
    parser.add_argument("config", help="config file, or a name of the model zoo")
    parser.add_argument("checkpoint", help="checkpoint file, address or name")
    add_config_options(parser)
    parser.add_argument(
        "--out",
        metavar="FILE",
        help="write the predictions: .pkl as MMDetection's list of dicts, .json as COCO results",
    )
    parser.add_argument("--show-dir", metavar="DIR", help="draw the predictions into this folder")
    parser.add_argument("--show", action="store_true", help="show the pictures in a window")
    parser.add_argument("--wait-time", type=float, default=2, help="seconds a picture is shown")
    parser.add_argument(
        "--tta",
        action="store_true",
        help="test-time augmentation: tta_model and tta_pipeline of the config, default mirroring",
    )
    args = parser.parse_args(argv)
    if args.out and not args.out.endswith((".pkl", ".pickle", ".json")):
        parser.error(f"--out {args.out}: give a file name that ends with .pkl or .json")
    return args


def test(args: Namespace) -> int:
    """Load config and checkpoint, run the test loop, say where the results are."""
    keep_local_rank(args.local_rank)

    from mmdet_lite.checkpoint import config_by_name
    from mmdet_lite.config import load_config
    from mmdet_lite.engine import (
        fit_device,
        init_launcher,
        leave_process_group,
        stopped_by_sigterm,
    )

    config = config_by_name(args.config)
    cfg = apply_flags(load_config(config, parse_overrides(args.cfg_options)), args)
    with stopped_by_sigterm():
        try:
            make_work_dir(cfg.work_dir)
            init_launcher(args.launcher, (cfg.get("env_cfg") or {}).get("dist_cfg"))
            fit_device(cfg, args.launcher)
            runner = _run(cfg, args)
        finally:
            leave_process_group()
    if args.out:
        say(f"predictions: {args.out}")
    if args.show_dir:
        say(f"pictures: {args.show_dir}")
    say_bad_images(runner.work_dir)
    say(f"logs: {short_path(runner.log_dir)}")
    return 0


def _run(cfg: Any, args: Namespace) -> Any:
    """Build, load and test the detector; returns mmengine's Runner."""
    from mmdet_lite.checkpoint import check_family, load_checkpoint_file, load_weights
    from mmdet_lite.config import errors_name_their_key, with_test_time_augmentation
    from mmdet_lite.engine import DetRunner, unwrapped

    checkpoint = load_checkpoint_file(args.checkpoint)
    check_family(checkpoint, cfg.model, args.checkpoint)
    cfg = with_test_classes(cfg, checkpoint, args.checkpoint)
    if args.tta:
        cfg, notes = with_test_time_augmentation(cfg)
        for note in notes:
            say(f"--tta: {note}")
    with errors_name_their_key(cfg, args.config):
        runner = DetRunner.from_cfg(cfg)
        model = unwrapped(runner.model)
        detector: Any = model.module if args.tta else model
        load_weights(detector, checkpoint, args.checkpoint, strict=True)
        runner.test()
    return runner


def apply_flags(cfg: Any, args: Namespace) -> Any:
    """A copy of the config with the flags in it.

    Raises:
        ValueError: if the config has nothing to test on, or nothing that draws pictures.
    """
    cfg = cfg.copy()
    missing = [
        key for key in ("test_dataloader", "test_evaluator", "test_cfg") if cfg.get(key) is None
    ]
    if missing:
        raise ValueError(f"{args.config} has no {', '.join(missing)}: nothing to test on")
    cfg.launcher = args.launcher
    cfg.work_dir = args.work_dir or cfg.get("work_dir") or f"./work_dirs/{Path(args.config).stem}"
    cfg.resume, cfg.load_from = False, None
    if args.out:
        cfg.test_evaluator = _with_dump(cfg, args.out)
    if args.show or args.show_dir:
        _draw(cfg, args)
    hooks = list(cfg.get("custom_hooks") or [])
    if all(hook.get("type") != "NumClassCheckHook" for hook in hooks):
        cfg.custom_hooks = [*hooks, {"type": "NumClassCheckHook"}]
    return cfg


def _with_dump(cfg: Any, out: str) -> Any:
    """The test evaluator with one more metric, which writes the predictions."""
    evaluator = cfg.test_evaluator
    whole = isinstance(evaluator, Mapping) and "metrics" in evaluator
    metrics = evaluator["metrics"] if whole else evaluator
    metrics = list(metrics) if isinstance(metrics, list | tuple) else [metrics]
    Path(out).absolute().parent.mkdir(parents=True, exist_ok=True)
    dump: dict[str, Any] = {"type": "DumpDetResults", "out_file_path": out}
    ann_file = metric_setting(metrics, "ann_file")
    if out.endswith(".json") and ann_file:
        dump["ann_file"] = ann_file
    offset = metric_setting(metrics, "keypoint_offset", 0)
    if offset:
        dump["keypoint_offset"] = offset
    if not whole:
        return [*metrics, dump]
    # one metric a data set, and this one for all of them
    key = "joint_metrics" if evaluator.get("type") == "MultiDatasetsEvaluator" else "metrics"
    more = [*(evaluator.get(key) or ()), dump]
    return {**evaluator, key: more}


def _draw(cfg: Any, args: Namespace) -> None:
    hook = (cfg.get("default_hooks") or {}).get("visualization")
    if hook is None:
        raise ValueError(
            "--show and --show-dir need default_hooks.visualization="
            "dict(type='DetVisualizationHook') in the config"
        )
    changes = {"draw": True, "show": args.show, "wait_time": args.wait_time}
    if args.show_dir:
        changes["test_out_dir"] = os.path.abspath(args.show_dir)
    cfg.default_hooks = {**cfg.default_hooks, "visualization": {**hook, **changes}}


def with_test_classes(cfg: Any, checkpoint: dict[str, Any], source: str) -> Any:
    """A copy of ``cfg`` whose heads have the number of classes of the test data.

    Raises:
        ValueError: if the checkpoint was trained on other names, or in another order.
    """
    from mmdet_lite.checkpoint import trained_classes
    from mmdet_lite.config import fill_num_classes
    from mmdet_lite.datasets import dataset_classes

    classes = dataset_classes(cfg.test_dataloader.dataset)
    trained = trained_classes(checkpoint)
    if trained is not None and trained != tuple(classes):
        pairs = [
            f"  {index}: {old!r} {new!r}"
            for index, (old, new) in enumerate(zip_longest(trained, classes, fillvalue="-"))
            if old != new
        ]
        shown = "\n".join(pairs[:20]) + ("\n  ..." if len(pairs) > 20 else "")
        raise ValueError(
            f"{source} was trained on {len(trained)} classes, the test data has {len(classes)}; "
            f"label, name in the checkpoint, name in the data:\n{shown}\n"
            "Give the test data the checkpoint's names in its order: "
            f"test_dataloader.dataset.metainfo=dict(classes={trained})"
        )
    return fill_num_classes(cfg, len(classes), "test_dataloader.dataset")


if __name__ == "__main__":
    sys.exit(main())
