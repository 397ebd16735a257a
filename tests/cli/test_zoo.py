import json

import pytest

from mmdet_lite.cli.zoo import main


def test_zoo_lists_name_program_ap_and_config(capsys):
    assert main(["38.2", "mask_rcnn/mask-rcnn_r50_fpn_1x_coco"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:2] == ["name", "program"]
    assert len(lines) == 3
    for part in ("MMDetection", "box 38.2, mask 34.7", "mask_rcnn/mask-rcnn_r50_fpn_1x_coco.py"):
        assert part in lines[2]


def test_words_narrow_the_list_and_none_is_said(capsys):
    assert main(["Detectron2", "keypoint"]) == 0
    rows = capsys.readouterr().out.splitlines()[2:]
    assert rows and all("keypoint" in row and "Detectron2" in row for row in rows)
    assert main(["no-such-model"]) == 1
    assert "no model has no-such-model" in capsys.readouterr().err


def test_json_has_addresses_and_hashes(capsys):
    assert main(["--json", "maskrcnn_resnet50_fpn"]) == 0
    records = json.loads(capsys.readouterr().out)
    record = next(r for r in records if r["name"] == "maskrcnn_resnet50_fpn")
    assert record["sha256"] == "bf2d0c1e" and record["url"].endswith("bf2d0c1e.pth")
    assert record["md5"] is None and record["size"] is None


def test_whole_list_says_what_is_fetched_already(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("MMDET_LITE_HOME", str(tmp_path))
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    (folder / "maskrcnn_resnet50_fpn_coco-bf2d0c1e.pth").write_bytes(b"")
    assert main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    fetched = [line for line in lines if " yes " in line]
    assert len(lines) > 190 and len(fetched) == 1
    assert fetched[0].startswith("maskrcnn_resnet50_fpn ")


def test_get_of_a_wrong_name_names_the_nearest(capsys):
    assert main(["--get", "mask-rcnn_r50_fpn_1x_coc"]) == 2
    assert "the nearest are mask-rcnn_r50_fpn_1x_coco" in capsys.readouterr().err


@pytest.mark.parametrize("config_is_here", [True, False])
def test_get_prints_config_and_checkpoint(config_is_here, capsys, tmp_path, monkeypatch):
    from mmdet_lite.checkpoint import cached_path, find_model
    from mmdet_lite.checkpoint.download import Fingerprint

    monkeypatch.setenv("MMDET_LITE_HOME", str(tmp_path))
    name = "mask-rcnn_r50_fpn_1x_coco" if config_is_here else "ImageNetPretrained/MSRA/R-50"
    monkeypatch.setattr(Fingerprint, "problem", lambda self, path: None)
    path = cached_path(find_model(name).url)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"")
    assert main(["--get", name]) == 0
    out = capsys.readouterr().out
    assert f"checkpoint: {path}" in out
    assert ("config: none" in out) is not config_is_here
