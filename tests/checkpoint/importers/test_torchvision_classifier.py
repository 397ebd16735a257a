import pytest
import torch
from torchvision import models

from mmdet_lite.checkpoint import PretrainedInit, check_pretrained, load_checkpoint_file
from mmdet_lite.checkpoint.importers import import_weights
from mmdet_lite.models import DetDataPreprocessor
from mmdet_lite.models.backbones.resnet import ResNet


def zeros(model):
    return {key: torch.zeros(value.shape) for key, value in model.state_dict().items()}


@pytest.mark.parametrize(
    "name",
    ["resnet18", "mobilenet_v2", "efficientnet_b0", "convnext_tiny", "swin_t", "densenet121",
     "regnet_x_400mf", "shufflenet_v2_x0_5", "mnasnet0_5"],
)  # fmt: skip
def test_networks_of_imagenet_keep_their_names_and_lose_their_classifier(name):
    model = models.get_model(name)
    imported = import_weights(zeros(model))
    assert imported.preprocessing["order"] == "RGB"
    assert set(imported.weights) | set(imported.left_over) == set(model.state_dict())
    assert 0 < len(imported.left_over) <= 4


def test_without_its_classifier_a_mobilenet_is_known_still():
    with torch.device("meta"):
        weights = zeros(models.mobilenet_v2().features)
    assert import_weights({f"features.{k}": v for k, v in weights.items()}) is not None


def test_caffes_resnets_of_mmdetection_are_not_taken_for_torchvisions():
    with torch.device("meta"):
        weights = zeros(models.resnet50())
    assert import_weights(weights | {"conv1.bias": torch.zeros(64)}) is None
    assert import_weights({k: v for k, v in weights.items() if "fc." not in k}) is None


class Detector(torch.nn.Module):
    def __init__(self, **preprocessing):
        super().__init__()
        self.data_preprocessor = DetDataPreprocessor(**preprocessing)
        self.backbone = ResNet(18, base_channels=64)


def test_images_in_bgr_do_not_fit_a_backbone_of_torchvision(tmp_path):
    torch.save(models.resnet18().state_dict(), tmp_path / "tv_r18.pth")
    caffe = Detector(mean=[103.53, 116.28, 123.675], std=[1.0, 1.0, 1.0])
    PretrainedInit(str(tmp_path / "tv_r18.pth"))(caffe.backbone)
    with pytest.raises(ValueError, match=r"tv_r18\.pth was trained on .*prepared otherwise"):
        check_pretrained(caffe)
    rgb = {"mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375], "bgr_to_rgb": True}
    fitting = Detector(**rgb)
    PretrainedInit(str(tmp_path / "tv_r18.pth"))(fitting.backbone)
    check_pretrained(fitting)


def test_scheme_says_the_preprocessing_of_each_entry(tmp_path, monkeypatch):
    torch.save({"features.0.weight": torch.zeros(1)}, tmp_path / "vgg.pth")
    monkeypatch.setattr(
        "mmdet_lite.checkpoint.load.local_checkpoint", lambda source: tmp_path / "vgg.pth"
    )
    usual = load_checkpoint_file("torchvision://vgg16")
    assert usual["meta"]["preprocessing"]["std"] == pytest.approx([58.395, 57.12, 57.375])
    older = load_checkpoint_file("torchvision://vgg16.IMAGENET1K_FEATURES")["meta"]["preprocessing"]
    assert older["std"] == pytest.approx([1.0] * 3) and older["order"] == "RGB"
    assert list(usual["state_dict"]) == ["features.0.weight"]
