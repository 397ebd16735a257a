"""Going on from a checkpoint as if the training had not stopped."""

import shutil
from pathlib import Path
from typing import Any

from mmengine.dist import get_rank, get_world_size, is_main_process
from mmengine.runner import IterBasedTrainLoop
from torch import nn

from mmdet_lite.checkpoint import (
    atomic_path,
    find_resume_checkpoint,
    load_state_dict,
    load_weights,
    plain,
    read_resume_meta,
    state_dict_of,
    to_history_buffers,
)
from mmdet_lite.engine.random_state import restore_random_state
from mmdet_lite.engine.schedule_state import catch_up, schedule_progress


class Resuming:
    """What a resumed run still has to do before it goes on; part of CheckpointHook."""

    def __init__(self) -> None:
        self.active = False
        self._states: list[dict[str, Any]] = []

    def choose(self, runner: Any) -> None:
        """Give ``resume=True`` without ``load_from`` the latest complete checkpoint.

        Raises:
            FileNotFoundError: if there is none.
            ValueError: if the one that ``load_from`` names cannot be resumed from.
        """
        if not runner._resume or runner._has_loaded:
            return
        if runner._load_from is not None:
            read_resume_meta(runner._load_from)
            return
        path, _, problems = find_resume_checkpoint(runner.work_dir)
        for problem in problems:
            runner.logger.warning(f"passed over: {problem}")
        runner.logger.info(f"resuming from {path}")
        runner._load_from = str(path)

    def take(self, runner: Any, model: nn.Module, checkpoint: dict[str, Any]) -> None:
        """Load the weights with a report, and prepare ``checkpoint``, in place, for the Runner.

        Raises:
            ValueError: on resuming, if weights or class names differ from this run's; otherwise
                as ``load_weights`` says.
        """
        source = str(runner._load_from or "the checkpoint")
        checkpoint.get("meta", {}).pop("config", None)  # the Runner would execute that text
        if runner._resume:
            load_state_dict(model, state_dict_of(checkpoint), source, strict=True)
        else:
            load_weights(model, checkpoint, source, classes_of(runner))
        # the Runner loads these again, and finds nothing to complain of
        checkpoint["state_dict"] = model.state_dict()
        if "message_hub" in checkpoint:
            hub = checkpoint["message_hub"]
            hub["log_scalars"] = to_history_buffers(hub["log_scalars"])
        if runner._resume:
            _prepare_schedules(runner, source, checkpoint)
            self.active = True
            self._states = checkpoint["meta"].get("random_states", [])
            _same_classes(runner, source, checkpoint["meta"])
            if not isinstance(runner.train_loop, IterBasedTrainLoop):
                _start_of_epoch(runner, checkpoint["meta"])

    def bring_best(self, runner: Any, folder: Path) -> None:
        """Copy the best files that lie beside the resumed checkpoint into this run's ``folder``.

        Where one is lost, its score is forgotten too, so that a new best is kept.
        """
        info = runner.message_hub.runtime_info
        beside = Path(str(runner._load_from)).parent
        for key in [key for key in info if key.startswith("best_ckpt")]:
            target = folder / Path(info[key]).name
            source = beside / target.name
            if source.is_file() and is_main_process() and not target.is_file():
                with atomic_path(target) as temporary:
                    shutil.copyfile(source, temporary)
                runner.logger.info(f"{source} copied to {folder}")
            if source.is_file() or target.is_file():
                runner.message_hub.update_info(key, str(target))
            else:
                runner.logger.warning(
                    f"{info.pop(key)}, the best checkpoint so far, is not beside the one resumed "
                    "from: the best of the validations to come is kept"
                )
                info.pop(key.replace("best_ckpt", "best_score"), None)

    def before_train(self, runner: Any, validated: Path) -> None:
        """Say where the run goes on; validate first if the killed run had not done it."""
        loop = runner.train_loop
        by_iter = isinstance(loop, IterBasedTrainLoop)
        catch_up(runner.param_schedulers)
        if len(self._states) == get_world_size():
            # the validation below may save this checkpoint again, which keeps the states of now
            restore_random_state(self._states[get_rank()])
        done, total = (loop.iter, loop.max_iters) if by_iter else (loop.epoch, loop.max_epochs)
        unit = "iteration" if by_iter else "epoch"
        if done >= total:
            key = "train_cfg.max_iters" if by_iter else "train_cfg.max_epochs"
            runner.logger.info(
                f"training had already finished at {unit} {done} of {total}; to go on, raise {key}"
            )
        else:
            runner.logger.info(f"training goes on after {unit} {done} of {total}")
        if runner.val_loop is not None and _validation_due(loop, done, total):
            text = validated.read_text(encoding="utf-8") if validated.is_file() else ""
            if text.strip() != f"iter {runner.iter}":
                runner.logger.info(f"validating {unit} {done} first, the stopped run had not")
                runner.val_loop.run()

    def restore_random_states(self, runner: Any, in_epoch: bool) -> None:
        """Put back this rank's random states, once.

        Before the first epoch's data, or, in an iteration-based loop, after seen data is skipped.
        """
        if not self._states or in_epoch != isinstance(runner.train_loop, IterBasedTrainLoop):
            return
        if len(self._states) == get_world_size():
            restore_random_state(self._states[get_rank()])
        else:
            runner.logger.warning(
                f"the checkpoint is of {len(self._states)} processes, now there are "
                f"{get_world_size()}: random numbers do not continue where they stopped"
            )
        self._states = []


def _validation_due(loop: Any, done: int, total: int) -> bool:
    """The train loops' own condition, after ``done`` of ``total``."""
    if not hasattr(loop, "val_begin") or done == 0:
        return False
    loop._decide_current_val_interval()
    return bool(done >= loop.val_begin and (done % loop.val_interval == 0 or done == total))


def _start_of_epoch(runner: Any, meta: dict[str, Any]) -> None:
    """Epoch-based loops go on at an epoch's start; say so if the checkpoint is from within one."""
    length = len(runner.train_dataloader)
    seen = meta["iter"] - meta["epoch"] * length
    if seen > 0:
        runner.logger.warning(
            f"the checkpoint is from within epoch {meta['epoch'] + 1}: its weights have seen "
            f"{seen} of {length} batches, and the epoch starts again with the same order, so "
            "these are seen twice. Checkpoints with by_epoch=True, or an IterBasedTrainLoop, "
            "avoid that"
        )
    elif seen < 0:
        runner.logger.warning(
            f"the checkpoint counts {meta['iter']} iterations in {meta['epoch']} epochs, this run "
            f"has {length} an epoch: data, batch size or number of processes changed; the "
            "learning rate goes on by the checkpoint's schedule"
        )
    meta["iter"] -= seen


def _prepare_schedules(runner: Any, source: str, checkpoint: dict[str, Any]) -> None:
    """Leave only progress in the schedulers' saved states."""
    states, schedulers = checkpoint.get("param_schedulers"), runner.param_schedulers
    if states is None or schedulers is None:
        return
    if len(states) != len(schedulers):
        raise ValueError(
            f"cannot resume {source}: it has {len(states)} parameter schedulers, the config's "
            f"param_scheduler {len(schedulers)}; resume with the config it was trained with, or "
            "start a new training from its weights with --load-from"
        )
    checkpoint["param_schedulers"] = schedule_progress(states, schedulers)


def classes_of(runner: Any) -> tuple[str, ...] | None:
    """Class names of the data that is trained on."""
    metainfo = getattr(runner.train_dataloader.dataset, "metainfo", None) or {}
    classes = metainfo.get("classes")
    return None if classes is None or isinstance(classes, str) else tuple(classes)


def _same_classes(runner: Any, source: str, meta: dict[str, Any]) -> None:
    metainfo = getattr(runner.train_dataloader.dataset, "metainfo", None)
    if metainfo is None or not meta.get("dataset_meta"):
        return
    before, now = meta["dataset_meta"].get("classes"), metainfo.get("classes")
    if before is not None and now is not None and list(before) != list(now):
        raise ValueError(
            f"cannot resume {source}: it was trained on other classes\n  checkpoint: {before}\n"
            f"  data set:   {now}\nStart a new training from its weights with --load-from"
        )
    if plain(metainfo) == plain(meta["dataset_meta"]):
        # mmengine compares pickled bytes, which differ between equal values
        meta["dataset_meta"] = metainfo
