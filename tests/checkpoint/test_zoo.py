import hashlib
import re
from pathlib import Path

import pytest
import torch
from file_server import FileServer, serve

from mmdet_lite.checkpoint import (
    config_by_name,
    config_folder,
    find_model,
    load_checkpoint_file,
    local_checkpoint,
    model_config,
    resolve_model,
    zoo,
    zoo_models,
)
from mmdet_lite.checkpoint.download import Fingerprint, hash_in_name

NAME = "mask-rcnn_r50_fpn_1x_coco"
CONFIG_FILES = list(config_folder().rglob("*.py"))


@pytest.fixture
def served_model(tmp_path, monkeypatch):
    """A model of the zoo whose weights lie on the loopback address."""
    torch.save({"state_dict": {"w": torch.ones(2)}}, tmp_path / "m.pth")
    content = (tmp_path / "m.pth").read_bytes()
    with serve(FileServer(content)) as server:
        sha = hashlib.sha256(content).hexdigest()
        url = server.url(f"mask-{sha[:8]}.pth")
        config = "mask_rcnn/mask-rcnn_r50_fpn_1x_coco.py"
        model = zoo.ZooModel(
            "served-model", "nobody", url, config, Fingerprint(sha), aliases=("nick",)
        )
        table = {**zoo_models(), model.name: model}
        monkeypatch.setattr(zoo, "zoo_models", lambda: table)
        zoo._by_any_name.cache_clear()
        monkeypatch.setenv("MMDET_LITE_HOME", str(tmp_path / "home"))
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        yield server
    zoo._by_any_name.cache_clear()


def test_every_entry_is_whole():
    for model in zoo_models().values():
        assert model.url.startswith("https://"), model.name
        known = model.fingerprint
        assert known.sha256 == hash_in_name(model.url.rsplit("/", 1)[1]), model.name
        if model.source in ("MMDetection", "torchvision"):
            assert re.fullmatch(r"[0-9a-f]{8}", known.sha256), model.name
            assert model.config, model.name
        if model.source == "torchvision":
            assert known.megabytes > 100
    names = [name for m in zoo_models().values() for name in (m.name, *m.aliases)]
    assert len(names) == len(set(names)) > 200


def test_models_of_mmdetection_are_called_like_their_configs():
    published = [model for model in zoo_models().values() if model.source == "MMDetection"]
    assert len(published) == 133
    assert all(Path(model.config).stem == model.name for model in published)


def test_torchvisions_entries_are_torchvisions():
    import torchvision.models

    for name in ("maskrcnn_resnet50_fpn", "retinanet_resnet50_fpn", "keypointrcnn_resnet50_fpn"):
        weights = torchvision.models.get_model_weights(name).COCO_V1
        model = find_model(name)
        assert model.url == weights.url
        assert model.ap["box"] == weights.meta["_metrics"]["COCO-val2017"]["box_map"]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        (NAME, NAME),
        (f"{NAME}.py", NAME),
        ("mask-rcnn_r50_fpn_fp16_1x_coco", "mask-rcnn_r50_fpn_amp-1x_coco"),
        (
            "COCO-Detection/faster_rcnn_R_50_FPN_3x.yaml",
            "COCO-Detection/faster_rcnn_R_50_FPN_3x",
        ),
        ("faster_rcnn_R_50_FPN_3x", "COCO-Detection/faster_rcnn_R_50_FPN_3x"),
        ("35858933", "e2e_mask_rcnn_R-50-FPN_1x"),
        ("torchvision/maskrcnn_resnet50_fpn", "maskrcnn_resnet50_fpn"),
    ],
)
def test_models_are_found_by_the_names_people_know(name, found):
    assert find_model(name).name == found


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("mask-rcnn_r50_fpn_1x_cocco", NAME),
        ("mask_rcnn_r50_fpn_1x_coco", NAME),
        ("mask_rcnn_r50_caffe_fpn_mstrain-poly_3x_coco", "mask-rcnn_r50-caffe_fpn_ms-poly-3x_coco"),
        ("faster_rcnn_R_50_FPN_4x", "COCO-Detection/faster_rcnn_R_50_FPN_3x"),
    ],
)
def test_misspelt_name_is_answered_with_the_nearest(wrong, right):
    with pytest.raises(ValueError, match=rf"is called '{wrong}'; the nearest are .*{right}"):
        find_model(wrong)
    with pytest.raises(FileNotFoundError, match=rf"nor a name of the model zoo.*{right}"):
        local_checkpoint(wrong)


def test_nothing_like_it_still_says_where_the_names_are():
    with pytest.raises(ValueError, match=r"called 'qqqq'; all names: mmdet-lite zoo"):
        find_model("qqqq")


def test_name_gives_config_and_checkpoint(served_model, tmp_path):
    config, checkpoint = resolve_model("nick")
    assert config == config_folder() / "mask_rcnn" / f"{NAME}.py" and config.is_file()
    assert checkpoint.parent == tmp_path / "home" / "checkpoints"
    assert load_checkpoint_file("served-model")["state_dict"]["w"].tolist() == [1, 1]
    assert len(served_model.requests) == 1


def test_file_of_that_name_comes_first(served_model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"w": torch.zeros(1)}, "served-model")
    assert local_checkpoint("served-model") == Path("served-model")
    assert served_model.requests == []


def test_published_file_that_changed_is_refused(served_model):
    served_model.corrupt = [True]
    with pytest.raises(ValueError, match="is not the file that is meant"):
        local_checkpoint("served-model")


def test_no_network_fails_in_one_line(served_model, tmp_path):
    served_model.status = [404]
    with pytest.raises(FileNotFoundError) as caught:
        local_checkpoint("served-model")
    text = str(caught.value)
    assert "\n" not in text
    url = served_model.url("mask-")
    for part in (url, str(tmp_path / "home" / "checkpoints"), "served-model", "--load-from PATH"):
        assert part in text


def test_config_of_a_name_or_path(tmp_path):
    assert config_by_name(NAME) == str(config_folder() / "mask_rcnn" / f"{NAME}.py")
    assert config_by_name("configs/a.py") == "configs/a.py"
    assert config_by_name(str(tmp_path)) == str(tmp_path)
    with pytest.raises(ValueError, match=f"nearest are {NAME}"):
        config_by_name("mask-rcnn_r50_fpn_1x_coc")


def test_weights_without_a_config_say_so():
    with pytest.raises(ValueError, match=r"known by its weights alone.*init_detector\(CONFIG"):
        model_config(find_model("ImageNetPretrained/MSRA/R-50"))


def test_config_that_is_not_shipped_points_to_the_readme(monkeypatch):
    model = zoo.ZooModel("x", "nobody", "https://x.org/x.pth", "rpn/none.py", Fingerprint())
    with pytest.raises(FileNotFoundError, match=r"rpn/README\.md says what it is built from"):
        model_config(model)


def test_configs_are_found_where_an_installation_puts_them(tmp_path, monkeypatch):
    installed = tmp_path / "share" / "mmdet_lite" / "configs"
    (installed / "_base_").mkdir(parents=True)
    monkeypatch.setattr(zoo, "__file__", str(tmp_path / "a" / "b" / "c" / "zoo.py"))
    with pytest.raises(FileNotFoundError, match=r"looked at .*share/mmdet_lite/configs"):
        config_folder()
    monkeypatch.setattr(zoo.sys, "prefix", str(tmp_path))
    assert config_folder() == installed


def test_every_folder_of_configs_goes_into_an_installation():
    project = (config_folder().parent / "pyproject.toml").read_text(encoding="utf-8")
    for folder in {path.parent.relative_to(config_folder()) for path in CONFIG_FILES}:
        line = f'"share/mmdet_lite/configs/{folder}" = ["configs/{folder}/*.py"]'
        assert line in project, f"[tool.setuptools.data-files] of pyproject.toml lacks {line}"


def test_every_config_that_the_zoo_names_is_here():
    named = {model.config for model in zoo_models().values() if model.config}
    assert len(named) > 130
    assert [config for config in named if not (config_folder() / config).is_file()] == []


def test_docs_count_the_models():
    text = (config_folder().parent / "docs" / "model_zoo.md").read_text(encoding="utf-8")
    assert f"\n{len(zoo_models())} sets of published weights" in text
