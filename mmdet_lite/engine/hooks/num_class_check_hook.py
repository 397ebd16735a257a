"""NumClassCheckHook: heads and data set agree on the number of classes."""

from typing import Any

from mmengine.hooks import Hook
from mmengine.model import BaseTTAModel, is_model_wrapper
from torch import nn

from mmdet_lite.registry import HOOKS


@HOOKS.register_module()
class NumClassCheckHook(Hook):
    """Compares ``num_classes`` of every module with the classes of the data set.

    Region proposal heads tell objects from background only and are exempt, as are backbones.

    Raises:
        TypeError: before training or evaluating, if ``classes`` is a bare string.
        ValueError: then, if a module has another number of classes.
    """

    def before_train(self, runner: Any) -> None:
        """Check against the training data."""
        check_num_classes(runner.model, runner.train_dataloader.dataset, "train_dataloader.dataset")

    def before_val(self, runner: Any) -> None:
        """Check against the validation data."""
        check_num_classes(runner.model, runner.val_dataloader.dataset, "val_dataloader.dataset")

    def before_test(self, runner: Any) -> None:
        """Check against the test data."""
        check_num_classes(runner.model, runner.test_dataloader.dataset, "test_dataloader.dataset")


def check_num_classes(model: nn.Module, dataset: Any, dataset_key: str) -> None:
    """Raise if a head of ``model`` has another number of classes than ``dataset``.

    Args:
        model: the detector, wrapped or not.
        dataset: its ``metainfo['classes']`` counts; without them nothing is checked.
        dataset_key: where the data set stands in the config, for the error.

    Raises:
        TypeError: if ``classes`` is a bare string.
        ValueError: if a number differs.
    """
    classes = getattr(dataset, "metainfo", {}).get("classes")
    if classes is None:
        return
    if isinstance(classes, str):
        raise TypeError(
            f"{dataset_key}.metainfo.classes is the bare string {classes!r}: write a tuple, "
            f"classes=({classes!r},), the comma makes it one"
        )
    inner: Any = model
    while is_model_wrapper(inner) or isinstance(inner, BaseTTAModel):
        inner = inner.module
    wrong = [
        (name, module.num_classes)
        for name, module in inner.named_modules()
        if _counts_classes(name, module) and module.num_classes != len(classes)
    ]
    if wrong:
        lines = "".join(f"\n  model.{name}.num_classes = {count}" for name, count in wrong)
        trained = (getattr(inner, "dataset_meta", None) or {}).get("classes")
        of_model = f"\nclasses of the model: {tuple(trained)}" if trained else ""
        raise ValueError(
            f"the data set has {len(classes)} classes, but{lines}\n"
            f"classes of {dataset_key}: {tuple(classes)}{of_model}\n"
            f"Set num_classes={len(classes)} in these heads or leave it out, or correct "
            f"metainfo=dict(classes=...) of the data set"
        )


def _counts_classes(name: str, module: nn.Module) -> bool:
    exempt = name.startswith("backbone") or name.endswith("rpn_head")
    return (
        not exempt
        and "RPN" not in type(module).__name__
        and isinstance(getattr(module, "num_classes", None), int)
    )
