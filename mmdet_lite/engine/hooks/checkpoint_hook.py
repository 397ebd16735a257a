"""CheckpointHook: mmengine's, with files that are complete, plain and resumable."""

import difflib
import hashlib
import inspect
from collections import deque
from pathlib import Path
from typing import Any, ClassVar

import torch
from mmengine.dist import all_gather_object, is_main_process
from mmengine.fileio import LocalBackend, get_file_backend
from mmengine.hooks import CheckpointHook as EngineCheckpointHook
from mmengine.model import is_model_wrapper
from torch import nn

from mmdet_lite import __version__
from mmdet_lite.checkpoint import (
    POINTER,
    atomic_path,
    check_pretrained,
    load_checkpoint_file,
    plain,
    remove_temporary_files,
    save_checkpoint,
    write_text,
)
from mmdet_lite.engine.hooks.resuming import Resuming, classes_of
from mmdet_lite.engine.random_state import random_state, restore_random_state
from mmdet_lite.engine.schedule_state import without_functions
from mmdet_lite.registry import HOOKS

VALIDATED = "last_validation"


@HOOKS.register_module()
class CheckpointHook(EngineCheckpointHook):
    """Saves checkpoints; the arguments, file names and best-checkpoint rules are mmengine's.

    What differs from mmengine 0.10.7:

    - A file is complete or not there at any moment; an old one (``max_keep_ckpts``, the former
      best) goes only after the new one is complete. ``last_checkpoint`` holds a relative path.
    - Content is plain, so ``torch.load(path)`` reads it; the random states of all ranks, the data
      set's names, the config's text and the package's version are in it.
    - Resuming reads the latest complete checkpoint, goes on with the random states, and first
      makes up for the validation that a killed run did not finish.
    - Validating does not change the random numbers of training.

    Args:
        *args: as mmengine's.
        **kwargs: as mmengine's.

    Raises:
        TypeError: for an argument that mmengine's hook does not have.
        ValueError: if files would go elsewhere than into a local folder; before training or
            after the first validation, if ``save_best`` is none of its metrics.
    """

    # VOCMetric's AP50, recall@100@0.5, CityScapesMetric's AP@50 as well; mmengine knows mAP, AR@
    _default_greater_keys: ClassVar[list[str]] = [
        *EngineCheckpointHook._default_greater_keys,
        "pascal_voc",
        "cityscapes",
    ]
    # set by mmengine's hook
    out_dir: str | None
    best_ckpt_path: str | None
    best_ckpt_path_dict: dict[str, str | None]
    keep_ckpt_ids: deque[int]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        _refuse_unknown(kwargs)
        super().__init__(*args, **kwargs)
        self._resuming = Resuming()
        self._training = False
        self._folder = Path()
        self._last_step: int | None = None
        self._before_validation: dict[str, Any] | None = None

    def before_run(self, runner: Any) -> None:
        """Choose the checkpoint of ``resume=True``."""
        self._resuming.choose(runner)

    def after_load_checkpoint(self, runner: Any, checkpoint: dict[str, Any]) -> None:
        """Load the weights with a report; keep what ``before_train`` needs for going on."""
        self._resuming.take(runner, unwrapped(runner.model), checkpoint)

    def before_train(self, runner: Any) -> None:
        """Prepare the folder; after a resume, make up for a validation that did not finish."""
        if not runner._has_loaded:
            check_pretrained(unwrapped(runner.model), classes_of(runner))
        work_dir = Path(runner.work_dir)
        folder = work_dir if self.out_dir is None else Path(self.out_dir) / work_dir.name
        if not isinstance(get_file_backend(str(self.out_dir or folder)), LocalBackend):
            raise ValueError(
                f"default_hooks.checkpoint.out_dir={self.out_dir!r}: checkpoints are written to a "
                "local folder, as only there a file can be replaced in one step"
            )
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self.out_dir = folder, str(folder)
        runner.logger.info(f"checkpoints go to {folder}")
        self._training = True
        self._check_save_best(runner)
        if self._resuming.active:
            self._resuming.bring_best(runner, folder)
        self._recall(runner.message_hub.runtime_info)
        if is_main_process():
            remove_temporary_files(self._folder)
        if self._resuming.active:
            self._last_step = runner.epoch if self.by_epoch else runner.iter
            self._finish_removals(runner.message_hub.runtime_info)
            self._resuming.before_train(runner, Path(runner.work_dir) / VALIDATED)

    def before_train_epoch(self, runner: Any) -> None:
        """Put back the random states of the checkpoint that was resumed from."""
        self._resuming.restore_random_states(runner, in_epoch=False)

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        """Put back the random states after an iteration-based loop has skipped seen data."""
        self._resuming.restore_random_states(runner, in_epoch=True)

    def before_val(self, runner: Any) -> None:
        """Keep the random states of training."""
        self._before_validation = random_state()

    def after_val_epoch(self, runner: Any, metrics: dict[str, float] | None = None) -> None:
        """Put the random states back and save the best checkpoint."""
        if self._before_validation is not None:
            restore_random_state(self._before_validation)
            self._before_validation = None
        if not self._training:
            return
        super().after_val_epoch(runner, metrics or {})
        if is_main_process():
            write_text(f"iter {runner.iter}\n", Path(runner.work_dir) / VALIDATED)

    def before_save_checkpoint(self, runner: Any, checkpoint: dict[str, Any]) -> None:
        """Make the content plain, in place, and refuse weights that are not finite."""
        _refuse_non_finite(checkpoint["state_dict"])
        checkpoint["meta"]["mmdet_lite_version"] = __version__
        info = checkpoint["message_hub"]["runtime_info"]
        for key in list(info):
            try:
                info[key] = plain(info[key], f"message_hub.runtime_info.{key}")
            except TypeError as error:
                runner.logger.warning(f"not saved: {error}")
                del info[key]
        if "param_schedulers" in checkpoint:
            checkpoint["param_schedulers"] = without_functions(checkpoint["param_schedulers"])
        checkpoint.update(plain(checkpoint))

    def _save_checkpoint_with_step(self, runner: Any, step: int, meta: dict[str, Any]) -> None:
        dropped = self._keep(runner, step)
        filename = self.filename_tmpl.format(step)
        self.last_ckpt = str(self._folder / filename)
        runner.message_hub.update_info("last_ckpt", self.last_ckpt)
        self._write(
            runner,
            filename,
            meta=meta,
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler,
            by_epoch=self.by_epoch,
        )
        self._last_step = step
        if is_main_process():
            folder = Path(runner.work_dir)
            target = Path(self.last_ckpt)
            inside = target.is_relative_to(folder)
            write_text(str(target.relative_to(folder) if inside else target), folder / POINTER)
        self._remove_steps(dropped)

    def _save_best_checkpoint(self, runner: Any, metrics: dict[str, float]) -> None:
        if not self.save_best:
            return
        if "auto" in self.key_indicators:
            self._take_first_metric(runner, next(iter(metrics)))
        replaced = []
        for key, rule in zip(self.key_indicators, self.rules, strict=True):
            if key not in metrics:
                raise _no_such_metric(key, list(metrics))
            replaced += self._save_if_best(runner, key, rule, metrics[key])
        names = [path.name for path in replaced if path is not None]
        runner.message_hub.update_info("dropped_best", names)
        now = runner.epoch if self.by_epoch else runner.iter
        if replaced and now == self._last_step:
            # once more, so that a resumed run knows the best score and file
            self._save_checkpoint_with_step(runner, now, _meta(runner))
        self._remove(names)

    def _check_save_best(self, runner: Any) -> None:
        """Refuse an unknown metric before training, where all metrics can tell their names."""
        if not self.save_best or runner.val_loop is None:
            return
        names = _result_names(runner.val_loop.evaluator)
        if names is None:
            return
        for key in self.key_indicators:
            if key != "auto" and key not in names:
                raise _no_such_metric(key, names)

    def _save_if_best(
        self, runner: Any, key: str, rule: str, score: float | None
    ) -> list[Path | None]:
        """Save if the score is the best so far; returns [the file it replaces] or nothing."""
        single = len(self.key_indicators) == 1
        suffix = "" if single else f"_{key}"
        info = runner.message_hub.runtime_info
        best = info.get(f"best_score{suffix}", self.init_value_map[rule])
        if score is None or not self.is_better_than[key](score, best):
            return []
        step = runner.epoch if self.by_epoch else runner.iter
        filename = f"best_{key}_{self.filename_tmpl.format(step)}".replace("/", "_")
        path = self._folder / filename
        former = self.best_ckpt_path if single else self.best_ckpt_path_dict.get(key)
        if single:
            self.best_ckpt_path = str(path)
        else:
            self.best_ckpt_path_dict[key] = str(path)
        runner.message_hub.update_info(f"best_score{suffix}", float(score))
        runner.message_hub.update_info(f"best_ckpt{suffix}", str(path))
        self._write(
            runner,
            filename,
            meta=_meta(runner),
            save_optimizer=False,
            save_param_scheduler=False,
            by_epoch=False,
        )
        runner.logger.info(
            f"best so far: {score:0.4f} {key} at {'epoch' if self.by_epoch else 'iter'} {step}, "
            f"saved to {filename}"
        )
        return [Path(former) if former and Path(former) != path else None]

    def _take_first_metric(self, runner: Any, key: str) -> None:
        try:
            self._init_rule(self.rules, [key])
        except ValueError:
            runner.logger.warning(
                f"save_best='auto' takes {key!r} and takes higher as better; set "
                "default_hooks.checkpoint.rule='less' if lower is"
            )
            self._init_rule(["greater"], [key])

    def _publish_model(self, runner: Any, ckpt_path: str) -> None:
        if not is_main_process():
            return
        checkpoint = load_checkpoint_file(ckpt_path)
        kept = {key: value for key, value in checkpoint.items() if key in self.published_keys}
        path = Path(ckpt_path)
        unhashed = path.with_name(path.stem + "-publishing.pth")
        save_checkpoint(kept, unhashed)
        digest = hashlib.sha256(unhashed.read_bytes()).hexdigest()[:8]
        published = unhashed.replace(path.with_name(f"{path.stem}-{digest}.pth"))
        runner.logger.info(f"published {path.name} as {published}")

    def _write(self, runner: Any, filename: str, **kwargs: Any) -> None:
        """Save through the Runner into a file that appears when it is complete."""
        kwargs["meta"]["random_states"] = _gather(random_state())
        if not is_main_process():
            return
        with atomic_path(self._folder / filename) as temporary:
            runner.save_checkpoint(self.out_dir, temporary.name, **kwargs)

    def _keep(self, runner: Any, step: int) -> list[int]:
        """Note ``step`` as kept; returns the steps whose files go once its file is complete."""
        if self.max_keep_ckpts <= 0 or (self.keep_ckpt_ids and self.keep_ckpt_ids[-1] == step):
            return []
        steps = [*(kept for kept in self.keep_ckpt_ids if kept != step), step]
        dropped, kept_steps = steps[: -self.max_keep_ckpts], steps[-self.max_keep_ckpts :]
        self.keep_ckpt_ids = deque(kept_steps, self.max_keep_ckpts)
        runner.message_hub.update_info("keep_ckpt_ids", kept_steps)
        runner.message_hub.update_info("dropped_ckpt_ids", dropped)
        return dropped

    def _remove_steps(self, steps: list[int]) -> None:
        self._remove([self.filename_tmpl.format(step) for step in steps])

    def _remove(self, names: list[str]) -> None:
        if is_main_process():
            for name in names:
                (self._folder / name).unlink(missing_ok=True)

    def _finish_removals(self, info: dict[str, Any]) -> None:
        """Remove what a run was killed before removing, after the new file was complete."""
        self._remove_steps(info.get("dropped_ckpt_ids", []))
        self._remove(info.get("dropped_best", []))

    def _recall(self, info: dict[str, Any]) -> None:
        """Take the kept steps and the best files from the message hub.

        Only the names of the files count, as the folder may have moved since they were saved.
        """
        kept = list(info.get("keep_ckpt_ids", []))
        if self.max_keep_ckpts > 0:
            self._remove_steps(kept[: -self.max_keep_ckpts])
            self.keep_ckpt_ids = deque(kept, self.max_keep_ckpts)
        best = {
            key.removeprefix("best_ckpt").removeprefix("_"): str(
                self._folder / Path(info[key]).name
            )
            for key in info
            if key.startswith("best_ckpt")
        }
        self.best_ckpt_path = best.get("")
        self.best_ckpt_path_dict = {key: best[key] for key in best if key}


def unwrapped(model: Any) -> nn.Module:
    """The model inside a data-parallel wrapper, or the model itself."""
    inner: nn.Module = model.module if is_model_wrapper(model) else model
    return inner


def _meta(runner: Any) -> dict[str, Any]:
    return {"epoch": runner.epoch, "iter": runner.iter}


def _result_names(evaluator: Any) -> list[str] | None:
    """Names of all numbers of a validation; None if one of its metrics cannot tell its own."""
    if hasattr(evaluator, "result_names"):  # it renames those of its metrics
        names: list[str] | None = evaluator.result_names()
        return names
    if not all(hasattr(metric, "result_names") for metric in evaluator.metrics):
        return None
    return [name for metric in evaluator.metrics for name in metric.result_names()]


def _no_such_metric(key: str, names: list[str]) -> ValueError:
    nearest = difflib.get_close_matches(key, names, n=1, cutoff=0)
    hint = f"nearest: {nearest[0]!r}; all: {', '.join(names)}" if nearest else "it gives none"
    return ValueError(
        f"default_hooks.checkpoint.save_best={key!r} is no metric of the validation; {hint}"
    )


def _gather(state: dict[str, Any]) -> list[dict[str, Any]]:
    """Every rank's state, by rank."""
    return list(all_gather_object(state))


def _refuse_unknown(kwargs: dict[str, Any]) -> None:
    known = list(inspect.signature(EngineCheckpointHook.__init__).parameters)[1:-1]
    for key in kwargs:
        if key not in known:
            nearest = difflib.get_close_matches(key, known, n=1, cutoff=0)[0]
            raise TypeError(f"CheckpointHook has no argument {key!r}; nearest: {nearest!r}")
    if kwargs.get("file_client_args") or kwargs.get("backend_args"):
        raise ValueError(
            "default_hooks.checkpoint: file_client_args and backend_args name a remote store; "
            "checkpoints are written to a local folder, set out_dir to one and remove them"
        )


def _refuse_non_finite(state_dict: dict[str, Any]) -> None:
    for key, value in state_dict.items():
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            raise FloatingPointError(
                f"weight {key} holds values that are not finite: the checkpoint is not written, "
                "the last one is still good. Lower optim_wrapper.optimizer.lr, or clip gradients "
                "with optim_wrapper.clip_grad=dict(max_norm=35), and resume"
            )
