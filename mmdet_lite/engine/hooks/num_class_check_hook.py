"""NumClassCheckHook: heads and data sets agree on the classes."""

from itertools import zip_longest
from typing import Any

from mmengine.hooks import Hook
from mmengine.model import BaseTTAModel, is_model_wrapper
from torch import nn

from mmdet_lite.registry import HOOKS


@HOOKS.register_module()
class NumClassCheckHook(Hook):
    """Compares ``num_classes`` of every module with the classes of the data set.

    Region proposal heads tell objects from background only and are exempt, as are backbones. Before
    training, the class names of training and validation data are compared too.

    Raises:
        TypeError: before training or evaluating, if ``classes`` is a bare string.
        ValueError: then, if a module has another number of classes, or the validation data other
            names or another order.
    """

    def before_train(self, runner: Any) -> None:
        """Check against the training data, and these against the validation data."""
        dataset = runner.train_dataloader.dataset
        check_num_classes(runner.model, dataset, "train_dataloader.dataset")
        if runner.val_loop is not None:
            check_same_classes(dataset, runner.val_dataloader.dataset)

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


def check_same_classes(train: Any, val: Any) -> None:
    """Raise if two data sets have other class names, or the same in another order.

    A label is the place of its name, so in another order every score would be wrong. Data sets
    without class names are not compared.

    Raises:
        ValueError: with both lists beside each other.
    """
    names = [list(getattr(data, "metainfo", {}).get("classes") or ()) for data in (train, val)]
    if [] in names or names[0] == names[1]:
        return
    rows = [
        f"\n  {label}: {old!r} {new!r}"
        for label, (old, new) in enumerate(zip_longest(*names, fillvalue="-"))
        if old != new
    ]
    raise ValueError(
        "training and validation data have different classes; label, name in train_dataloader, "
        f"name in val_dataloader:{''.join(rows[:20])}{' ...' if len(rows) > 20 else ''}\n"
        "Give both data sets the same metainfo=dict(classes=...), in the same order"
    )


def _counts_classes(name: str, module: nn.Module) -> bool:
    exempt = name.startswith("backbone") or name.endswith("rpn_head")
    return (
        not exempt
        and "RPN" not in type(module).__name__
        and isinstance(getattr(module, "num_classes", None), int)
    )
