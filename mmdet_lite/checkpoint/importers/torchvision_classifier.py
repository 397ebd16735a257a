"""torchvision's ImageNet classifiers, of which backbones are made; their names are ours already.

Source: torchvision 0.13 to 0.29, models. All were trained on RGB images around ImageNet's mean,
but VGG's older features, whose names these here do not have.
"""

from collections.abc import Collection

from mmdet_lite.checkpoint.importers.renaming import Imported, Weights

# names that together are of one kind of network: ResNet and its kin; MobileNet, EfficientNet,
# ConvNeXt, Swin; DenseNet; RegNet; ShuffleNet; MNASNet
KINDS = [
    ("fc.weight", "bn1.running_mean", "layer1.0.conv1.weight"),
    ("features.0.0.weight",),
    ("features.conv0.weight", "features.norm0.running_mean"),
    ("stem.0.weight", "trunk_output.block1.block1-0.f.a.0.weight"),
    ("conv1.0.weight", "stage2.0.branch1.0.weight"),
    ("layers.0.weight", "classifier.1.weight"),
]
CLASSIFIERS = ("fc.", "classifier.", "head.")
PREPROCESSING = {
    "order": "RGB",
    "mean": [123.675, 116.28, 103.53],
    "std": [58.395, 57.12, 57.375],
}


def matches(names: Collection[str]) -> bool:
    """Whether these are names of torchvision's classifiers, with or without their last layer."""
    of_caffe = "conv1.bias" in names  # in MMDetection's files of Caffe's networks
    return not of_caffe and any(all(name in names for name in kind) for kind in KINDS)


def convert(weights: Weights) -> Imported:
    """The same tensors without the classifier."""
    kept = {name: value for name, value in weights.items() if not name.startswith(CLASSIFIERS)}
    left = tuple(name for name in weights if name not in kept)
    style = {"style": ["pytorch"]} if "layer1.0.conv1.weight" in weights else {}
    return Imported("torchvision (ImageNet)", kept, left, PREPROCESSING, conventions=style)
