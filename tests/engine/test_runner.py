"""What the screen of a run shows."""

import logging

import pytest
from mmengine.config import Config
from mmengine.model import BaseModel

from mmdet_lite.engine import DetRunner
from mmdet_lite.engine.runner import is_for_the_screen, pretrained_keys


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Config:\nmodel = dict()", False),
        ("Hooks will be executed in the following order:\nbefore_run:", False),
        ("\n" + "-" * 60 + "\nSystem environment:\n    sys.platform: linux", False),
        ("Config of the data is wrong", True),
        ("Epoch(train) [1][10/25]", True),
    ],
)
def test_long_listings_stay_off_the_screen(text: str, shown: bool) -> None:
    record = logging.LogRecord("x", logging.INFO, "f", 1, text, None, None)
    assert is_for_the_screen(record) is shown


def test_every_key_that_asks_for_a_file_is_found() -> None:
    def asks(name: str) -> dict[str, object]:
        return {"type": "Pretrained", "checkpoint": name}

    model = {
        "backbone": {"init_cfg": asks("a.pth")},
        "roi_head": {"shared_head": {"init_cfg": [{"type": "Kaiming"}, asks("b.pth")]}},
        "neck": {"init_cfg": None},
    }
    assert list(pretrained_keys(model, "model")) == [
        ("model.backbone.init_cfg", "a.pth"),
        ("model.roi_head.shared_head.init_cfg.1", "b.pth"),
    ]
    assert list(pretrained_keys(None, "model")) == []


def test_a_missing_pretrained_file_names_the_key_that_asks_for_it(tmp_path) -> None:
    class OfAFile(BaseModel):
        def __init__(self, part: dict[str, object]) -> None:
            super().__init__(init_cfg=part["init_cfg"])

        def forward(self, *_: object) -> None:
            """Nothing."""

    missing = str(tmp_path / "no.pth")
    asks = {"init_cfg": {"type": "Pretrained", "checkpoint": missing}}
    cfg = Config({"model": {"type": "OfAFile", "part": asks}})
    runner = DetRunner(OfAFile(asks), str(tmp_path), cfg=cfg)
    with pytest.raises(FileNotFoundError) as error:
        runner._init_model_weights()
    assert "--cfg-options model.part.init_cfg=None" in str(error.value)
