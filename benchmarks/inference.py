"""Inference of Mask R-CNN R50-FPN beside torchvision's, from a uint8 picture to RLE masks.

Both get the same random pictures, resize them to the same size, and return 100 detections with
masks in the original picture's size, encoded as RLE. The two alternate; the ratio of the medians
counts (below 1: ours is faster). The second table is the mask part alone on a 4000x3000 photo.

    python benchmarks/inference.py --steps 5
"""

import argparse
import statistics
import time

import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope
from pycocotools import mask as coco_mask
from torchvision.models.detection import maskrcnn_resnet50_fpn
from torchvision.models.detection.roi_heads import paste_masks_in_image

from mmdet_lite.apis import picture_pipeline
from mmdet_lite.config import load_config
from mmdet_lite.ops.mask_paste import masks_to_rle
from mmdet_lite.registry import MODELS

CONFIG = "configs/mask_rcnn/mask-rcnn_r50_fpn_1x_coco.py"
SURE_OF_ONE_CLASS = 6.0  # a bias that makes every proposal a detection, as random weights do not


def build_ours(device, channels_last):
    """Our model and its test pipeline, random weights."""
    cfg = load_config(
        CONFIG, {"model.backbone.init_cfg": None, "model.roi_head.bbox_head.num_classes": 80}
    )
    model = MODELS.build({**cfg.model, "channels_last": channels_last})
    model.init_weights()
    model.roi_head.bbox_head.fc_cls.bias.data[0] = SURE_OF_ONE_CLASS
    model = model.to(device).eval()
    pipeline = picture_pipeline(cfg)

    def infer(picture):
        packed = pipeline({"img": picture, "img_id": 0})
        return model.test_step(pseudo_collate([packed]))[0].pred_instances.masks

    return infer


def build_theirs(device, channels_last):
    """Build torchvision's model, random weights, its masks encoded as ours are."""
    model = maskrcnn_resnet50_fpn(weights=None, weights_backbone=None, num_classes=81)
    model.roi_heads.box_predictor.cls_score.bias.data[1] = SURE_OF_ONE_CLASS
    model = model.to(device).eval()
    if channels_last:
        model = model.to(memory_format=torch.channels_last)

    def infer(picture):
        rgb = torch.from_numpy(np.ascontiguousarray(picture[:, :, ::-1].transpose(2, 0, 1)))
        masks = model([rgb.to(device).float() / 255])[0]["masks"]
        return encode_frames(masks[:, 0] > 0.5)

    return infer


def encode_frames(masks):
    """RLE of full-frame masks (D, H, W)."""
    frames = masks.cpu().numpy().astype(np.uint8).transpose(1, 2, 0)
    return coco_mask.encode(np.asfortranarray(frames))


def timed(call, device):
    """Seconds of one call, and its result."""
    if device == "cuda":
        torch.cuda.synchronize()
    start = time.perf_counter()
    result = call()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start, result


def compare(calls, steps, device):
    """Median seconds of each call, alternating, after one unmeasured round."""
    seconds = {name: [] for name in calls}
    counts = {}
    for step in range(steps + 1):
        for name, call in calls.items():
            duration, result = timed(call, device)
            counts[name] = len(result)
            if step:
                seconds[name].append(duration)
    return {name: statistics.median(values) for name, values in seconds.items()}, counts


def whole_pictures(args):
    """The whole way, for every precision and layout."""
    for amp in (None, torch.bfloat16):
        for channels_last in (False, True):
            layout = "channels-last" if channels_last else "contiguous"
            builds = {"ours": build_ours, "torchvision": build_theirs}
            models = {k: build(args.device, channels_last) for k, build in builds.items()}
            for height, width in ((480, 640), (3000, 4000)):
                picture = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
                with (
                    torch.no_grad(),
                    torch.autocast(args.device, torch.bfloat16, enabled=amp is not None),
                ):
                    calls = {k: lambda m=m, p=picture: m(p) for k, m in models.items()}
                    median, counts = compare(calls, args.steps, args.device)
                print(
                    f"{'bf16' if amp else 'fp32'} {layout} {width}x{height}:"
                    f" ours {median['ours']:.3f} s ({counts['ours']} masks),"
                    f" torchvision {median['torchvision']:.3f} s ({counts['torchvision']} masks),"
                    f" ratio {median['ours'] / median['torchvision']:.2f}",
                    flush=True,
                )


def masks_alone(args):
    """28x28 masks of 20 objects of 60 to 660 pixels in a 4000x3000 photo, to RLE."""
    rng = torch.Generator().manual_seed(0)
    sides = torch.linspace(60, 660, 20)
    xy = torch.rand(20, 2, generator=rng) * (torch.tensor([4000.0, 3000.0]) - sides[:, None])
    boxes = torch.cat([xy, xy + sides[:, None]], dim=1)
    y, x = torch.meshgrid(torch.linspace(-1, 1, 28), torch.linspace(-1, 1, 28), indexing="ij")
    probs = torch.sigmoid(8 * (0.8 - (x**2 + y**2).sqrt())).expand(20, 28, 28).contiguous()
    calls = {
        "ours": lambda: masks_to_rle(probs, boxes, (3000, 4000)),
        "torchvision": lambda: encode_frames(
            paste_masks_in_image(probs[:, None], boxes, (3000, 4000))[:, 0] > 0.5
        ),
    }
    median, _ = compare(calls, args.steps, "cpu")
    print(
        f"20 masks to RLE in 4000x3000: ours {median['ours']:.4f} s,"
        f" torchvision's paste and encoding {median['torchvision']:.3f} s"
    )


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--steps", type=int, default=5)
    args = parser.parse_args()
    init_default_scope("mmdet_lite")
    MMLogger.get_instance("mmengine", log_level="WARNING")  # init_weights logs every tensor
    masks_alone(args)
    whole_pictures(args)


if __name__ == "__main__":
    main()
