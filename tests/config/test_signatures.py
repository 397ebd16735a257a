from typing import Any

import torch

from mmdet_lite.config.signatures import accepted_arguments, refused_argument


class Closed:
    def __init__(self, a: int, *, b: int = 0) -> None: ...


class Passing(Closed):
    def __init__(self, c: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)


class Keeping:
    def __init__(self, interval: int = 1, **kwargs: Any) -> None:
        self.kwargs = kwargs


class Bare:
    pass


def test_kwargs_that_are_passed_on_take_the_arguments_of_the_base() -> None:
    assert accepted_arguments(Passing) == ({"a", "b", "c"}, False)


def test_kwargs_that_are_kept_take_anything_but_a_misspelt_argument() -> None:
    assert accepted_arguments(Keeping) == ({"interval"}, True)
    assert refused_argument(Keeping, "whatever", frozenset()) is None
    refused = refused_argument(Keeping, "intervall", frozenset())
    assert refused == "Keeping has no argument 'intervall'; did you mean 'interval'?"


def test_class_without_constructor_takes_nothing() -> None:
    assert accepted_arguments(Bare) == (set(), False)
    assert refused_argument(Bare, "a", frozenset({"a"})) is None
    assert "no argument 'b'" in str(refused_argument(Bare, "b", frozenset({"a"})))


def test_torch_classes_and_functions_are_read() -> None:
    names, is_open = accepted_arguments(torch.optim.SGD)
    assert {"lr", "momentum", "weight_decay"} <= names
    assert not is_open
    assert accepted_arguments(lambda x, y=1: x) == ({"x", "y"}, False)
