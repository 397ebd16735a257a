"""TrainingSummaryHook: what is about to be trained, on what."""

from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import IterBasedTrainLoop

from mmdet_lite.engine.hooks.checkpoint_hook import unwrapped
from mmdet_lite.registry import HOOKS


@HOOKS.register_module()
class TrainingSummaryHook(Hook):
    """Logs model, data and optimiser in a few lines before the first step."""

    def before_train(self, runner: Any) -> None:
        """Log the summary."""
        runner.logger.info(training_summary(runner))


def training_summary(runner: Any) -> str:
    """Lines on model, data, steps and place of a run whose loops are built."""
    model, loader = unwrapped(runner.model), runner.train_dataloader
    parameters = list(model.parameters())
    trained = sum(p.numel() for p in parameters if p.requires_grad) / 1e6
    total = sum(p.numel() for p in parameters) / 1e6
    classes = loader.dataset.metainfo.get("classes", ())
    names = ", ".join(classes[:8]) + (", ..." if len(classes) > 8 else "")
    groups = runner.optim_wrapper.param_groups
    batch = getattr(loader, "batch_size", None) or loader.batch_sampler.batch_size
    rates = sorted({group.get("initial_lr", group["lr"]) for group in groups})
    rate = " to ".join(f"{lr:.3g}" for lr in dict.fromkeys((rates[0], rates[-1])))
    by_epoch = not isinstance(runner.train_loop, IterBasedTrainLoop)
    epochs = f" in {runner.max_epochs} epochs" if by_epoch else ""
    lines = [
        f"model: {runner.cfg.model.type}, {total:.1f} M parameters, {trained:.1f} M of them"
        f" trained, on {parameters[0].device}",
        f"training data: {len(loader.dataset)} images, {len(classes)} classes: {names}",
        f"steps: {runner.max_iters}{epochs}, each of {runner.world_size} x {batch} images, from"
        f" iteration {runner.iter}; learning rate {rate}",
        f"seed: {runner.seed}; environment, config and hooks: {runner.log_dir}/*.log",
    ]
    return "\n".join(["about to train", *(f"  {line}" for line in lines)])
