"""DetLocalVisualizer and DetVisualizationHook as the Runner uses them."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData
from pycocotools import mask as mask_api

from mmdet_lite.registry import HOOKS, VISUALIZERS
from mmdet_lite.structures import BitmapMasks, DetDataSample
from mmdet_lite.visualization import DetLocalVisualizer, DetVisualizationHook

META = {"classes": ("cat", "dog"), "palette": [(220, 40, 60), (40, 80, 230)]}


def grey() -> np.ndarray:
    return np.full((120, 160, 3), 100, np.uint8)


def make_sample(scores: Any = (0.9, 0.1), path: str = "a.png", truth: bool = True) -> DetDataSample:
    mask = np.zeros((120, 160), np.uint8)
    mask[60:100, 40:80] = 1
    sample = DetDataSample(metainfo={"img_path": path, "img_id": 1})
    boxes = torch.tensor([[40.0, 60, 80, 100], [90, 60, 150, 110]])[: len(scores)]
    if truth:
        sample.gt_instances = InstanceData(
            bboxes=boxes[:1], labels=torch.tensor([0]), masks=BitmapMasks(mask[None], 120, 160)
        )
    sample.pred_instances = InstanceData(
        bboxes=boxes,
        labels=torch.tensor([0, 1])[: len(scores)],
        scores=torch.tensor(scores),
        masks=[mask_api.encode(np.asfortranarray(mask))] * len(scores),
    )
    return sample


@pytest.fixture
def visualizer(request: pytest.FixtureRequest) -> DetLocalVisualizer:
    built = VISUALIZERS.build({"type": "DetLocalVisualizer", "name": request.node.name})
    built.dataset_meta = META
    return built


def test_annotations_and_predictions_stand_side_by_side(visualizer: DetLocalVisualizer) -> None:
    drawn = visualizer.draw_datasample(grey(), make_sample())
    assert drawn.shape[1] > 2 * 160
    truth, pred = drawn[-120:, :160].astype(int), drawn[-120:, -160:].astype(int)
    assert np.abs(truth[80, 60] - 100).sum() > 30  # the mask
    assert np.array_equal(truth[80, 60], pred[80, 60])
    assert (truth[:, 88:] == 100).all()
    assert (pred[:, 95:] == 100).all()  # score 0.1 is below 0.3


def test_threshold_and_switches_choose_what_is_drawn(visualizer: DetLocalVisualizer) -> None:
    both = visualizer.draw_datasample(grey(), make_sample(), draw_gt=False, pred_score_thr=0.05)
    assert both.shape == (120, 160, 3)
    assert (both[:, 88:] != 100).any()
    none = visualizer.draw_datasample(grey(), make_sample(), draw_gt=False, draw_pred=False)
    assert np.array_equal(none, grey())
    assert np.array_equal(visualizer.draw_datasample(grey(), None), grey())


def test_images_without_objects_are_drawn(visualizer: DetLocalVisualizer) -> None:
    drawn = visualizer.draw_datasample(grey(), make_sample(scores=(), truth=False))
    assert np.array_equal(drawn, grey())


def test_add_datasample_writes_the_file_and_get_image_returns_it(
    visualizer: DetLocalVisualizer, tmp_path: Path
) -> None:
    image = grey()
    out_file = tmp_path / "new" / "picture.png"
    visualizer.add_datasample("x", image, make_sample(), out_file=str(out_file))
    written = cv2.cvtColor(cv2.imread(str(out_file)), cv2.COLOR_BGR2RGB)
    assert np.array_equal(written, visualizer.get_image())
    assert np.array_equal(image, grey())


def test_backends_receive_the_picture(tmp_path: Path) -> None:
    visualizer = DetLocalVisualizer(
        vis_backends=[{"type": "LocalVisBackend"}], save_dir=str(tmp_path)
    )
    visualizer.dataset_meta = META
    visualizer.add_datasample("val_img", grey(), make_sample(), step=7)
    assert (tmp_path / "vis_data/vis_image/val_img_7.png").is_file()


def test_own_colors_are_used() -> None:
    visualizer = DetLocalVisualizer(
        bbox_color=(10, 250, 10), mask_color=[(0, 0, 0), (9, 9, 9)], line_width=1, alpha=1.0
    )
    visualizer.dataset_meta = META
    drawn = visualizer.draw_datasample(grey(), make_sample(), draw_gt=False)
    assert np.abs(drawn[100, 60].astype(int) - (10, 250, 10)).max() < 30
    assert tuple(drawn[80, 60]) == (0, 0, 0)


def test_without_dataset_meta_classes_are_numbered() -> None:
    drawn = DetLocalVisualizer().draw_datasample(grey(), make_sample())
    assert (drawn[-120:, :160] != 100).any()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"bbox_color": "coco"}, "bbox_color is .* got 'coco'"),
        ({"alpha": 3}, r"alpha must be in 0\.\.1, got 3"),
        ({"text_color": "red"}, "text_color"),
    ],
)
def test_wrong_arguments_say_what_is_right(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DetLocalVisualizer(**arguments)


class Recorder(DetLocalVisualizer):
    """Remembers what the hook asks for."""

    def add_datasample(self, name: str, image: Any, *args: Any, **kwargs: Any) -> None:
        self.calls = [*getattr(self, "calls", []), (name, image.shape, kwargs)]
        super().add_datasample(name, image, *args, **kwargs)


@pytest.fixture
def recorder(request: pytest.FixtureRequest) -> Recorder:
    return Recorder.get_instance(f"recorder {request.node.name}")


def write_grey(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), grey())
    return str(path)


def test_validation_draws_the_first_image_of_every_interval(
    recorder: Recorder, tmp_path: Path
) -> None:
    path = write_grey(tmp_path / "a.png")
    hook = HOOKS.build({"type": "DetVisualizationHook", "draw": True, "interval": 2})
    for batch in range(5):
        samples = [make_sample(path=path), make_sample(path="second is not read")]
        hook.after_val_iter(SimpleNamespace(iter=100), batch, None, samples)
    assert [(name, kwargs["step"]) for name, _, kwargs in recorder.calls] == [
        ("val_img", 100),
        ("val_img", 102),
        ("val_img", 104),
    ]


def test_test_writes_every_image_under_its_name(recorder: Recorder, tmp_path: Path) -> None:
    out_dir = tmp_path / "shown"
    hook = DetVisualizationHook(draw=True, test_out_dir=str(out_dir), score_thr=0.7)
    paths = [write_grey(tmp_path / name) for name in ("one/a.png", "one/b.png", "two/a.png")]
    samples = [make_sample(path=path) for path in paths]
    hook.after_test_iter(SimpleNamespace(), 0, None, samples[:2])
    hook.after_test_iter(SimpleNamespace(), 1, None, samples[2:])
    assert sorted(p.name for p in out_dir.iterdir()) == ["a.png", "b.png", "two_a.png"]
    assert all(kwargs["pred_score_thr"] == 0.7 for _, _, kwargs in recorder.calls)


def test_without_draw_nothing_is_read() -> None:
    hook = DetVisualizationHook()
    hook.after_val_iter(SimpleNamespace(iter=0), 0, None, [make_sample(path="nowhere")])
    hook.after_test_iter(SimpleNamespace(), 0, None, [make_sample(path="nowhere")])


def test_interval_must_be_positive() -> None:
    with pytest.raises(ValueError, match="at least 1, got 0"):
        DetVisualizationHook(interval=0)
