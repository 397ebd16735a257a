"""contact_sheet: from a config and a results file to one picture."""

import json
import pickle
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from pycocotools import mask as mask_api

from mmdet_lite.cli.contact_sheet import main, pair_results

CONFIG = """
default_scope = 'mmdet'
test_dataloader = dict(
    batch_size=1, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='CocoDataset', data_root={root!r}, ann_file='ann.json', data_prefix=dict(img='img/'),
        metainfo=dict(classes=('cat',), palette=[(220, 20, 60)]), test_mode=True,
        pipeline=[dict(type='LoadImageFromFile'), dict(type='PackDetInputs')]))
test_evaluator = dict(type='CocoMetric', ann_file={root!r} + '/ann.json')
test_cfg = dict(type='TestLoop')
"""


@pytest.fixture
def predicted(tmp_path: Path) -> tuple[Path, Path]:
    """A config of five images with a square each (the last has none) and perfect results."""
    (tmp_path / "img").mkdir()
    images, annotations, results = [], [], []
    for n in range(5):
        cv2.imwrite(str(tmp_path / f"img/{n}.png"), np.full((60, 80 + 40 * n, 3), 90, np.uint8))
        images.append({"id": n, "file_name": f"{n}.png", "height": 60, "width": 80 + 40 * n})
        mask = np.zeros((60, 80 + 40 * n), np.uint8)
        boxes = torch.zeros(0, 4)
        masks = []
        if n < 4:
            mask[20:50, 10:40] = 1
            boxes = torch.tensor([[10.0, 20, 40, 50]])
            masks = [mask_api.encode(np.asfortranarray(mask))]
            annotations.append(
                {
                    "id": n + 1,
                    "image_id": n,
                    "category_id": 1,
                    "bbox": [10, 20, 30, 30],
                    "area": 900,
                    "iscrowd": 0,
                    "segmentation": [[10, 20, 40, 20, 40, 50, 10, 50]],
                }
            )
        pred = {
            "bboxes": boxes,
            "scores": torch.full((len(boxes),), 0.9),
            "labels": torch.zeros(len(boxes), dtype=torch.long),
            "masks": masks,
        }
        results.append({"img_id": n, "pred_instances": pred})
    truth = {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": 1, "name": "cat"}],
    }
    (tmp_path / "ann.json").write_text(json.dumps(truth))
    config = tmp_path / "config.py"
    config.write_text(CONFIG.format(root=str(tmp_path)))
    (tmp_path / "results.pkl").write_bytes(pickle.dumps(results))
    return config, tmp_path / "results.pkl"


def test_sheet_is_written_beside_the_results(
    predicted: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    config, results = predicted
    assert main([str(config), str(results)]) == 0
    out = results.parent / "contact_sheet.png"
    assert capsys.readouterr().out.strip().splitlines()[-1] == str(out)
    sheet = cv2.cvtColor(cv2.imread(str(out)), cv2.COLOR_BGR2RGB).astype(int)
    red = (sheet[..., 0] - sheet[..., 1] > 40).sum()
    assert red > 20000  # masks of annotations and predictions


def test_threshold_leaves_predictions_out(predicted: tuple[Path, Path], tmp_path: Path) -> None:
    config, results = predicted
    reds = []
    for thresh in ("0.5", "0.95"):
        out = tmp_path / f"{thresh}.png"
        main([str(config), str(results), "--thresh", thresh, "--out", str(out), "--num", "2"])
        sheet = cv2.cvtColor(cv2.imread(str(out)), cv2.COLOR_BGR2RGB).astype(int)
        reds.append((sheet[..., 0] - sheet[..., 1] > 40).sum())
    assert 0 < reds[1] < 0.75 * reds[0]


class Entries:
    def __init__(self, ids: Any) -> None:
        self.ids = list(ids)

    def __len__(self) -> int:
        return len(self.ids)

    def get_data_info(self, index: int) -> dict[str, Any]:
        return {"img_id": self.ids[index]}


def test_images_are_chosen_evenly_from_first_to_last() -> None:
    results = [{"img_id": n} for n in range(11)]
    chosen = pair_results(Entries(range(11)), results, 3, Path("r.pkl"))
    assert [entry["img_id"] for entry, _ in chosen] == [0, 5, 10]
    assert len(pair_results(Entries(range(11)), results, 50, Path("r.pkl"))) == 11


def test_results_of_another_data_set_are_refused() -> None:
    with pytest.raises(ValueError, match=r"no image of r\.pkl is in the config's"):
        pair_results(Entries([1]), [{"img_id": 7}], 3, Path("r.pkl"))


def test_missing_results_are_one_line(
    predicted: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(predicted[0]), "nowhere.pkl"]) == 2
    assert "contact_sheet: no results file nowhere.pkl" in capsys.readouterr().err
