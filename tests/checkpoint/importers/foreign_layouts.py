"""Our models' weights as other programs name them, layer by layer, written out by hand.

Each function takes tensors by our names and returns what that program's file would hold.
"""

import torch

STAGES = ((1, 3), (2, 4), (3, 6), (4, 3))  # our layer1..layer4 and their blocks
BOX, MASK, POINTS = "roi_head.bbox_head", "roi_head.mask_head", "roi_head.keypoint_head"
RPN = {"rpn_head.rpn_conv": 0, "rpn_head.rpn_cls": 1, "rpn_head.rpn_reg": 2}


def with_layers(own, layers):
    """The tensors under other names of their layers; every layer needs one."""
    renamed = {}
    for key, value in own.items():
        layer, _, parameter = key.rpartition(".")
        renamed[f"{layers[layer]}.{parameter}"] = value
    return renamed


def has(own, layer):
    return any(key.startswith(f"{layer}.") for key in own)


def background_first(own):
    """Row 0 is background in Detectron's heads; its boxes and masks are unused."""
    result = dict(own)
    for key, value in own.items():
        if ".fc_cls." in key:
            result[key] = torch.cat([value[-1:], value[:-1]])
        elif ".fc_reg." in key:
            result[key] = torch.cat([torch.full_like(value[:4], 9.0), value])
        elif ".conv_logits." in key:
            result[key] = torch.cat([torch.full_like(value[:1], 9.0), value])
    return result


def detectron2(own):
    norm = "gn" if has(own, "backbone.gn1") else "bn"
    fpn = has(own, "neck")
    body = "backbone.bottom_up" if fpn else "backbone"
    layers = {
        "backbone.conv1": f"{body}.stem.conv1",
        f"backbone.{norm}1": f"{body}.stem.conv1.norm",
    }
    for stage, blocks in STAGES:
        for block in range(blocks):
            for ours, theirs in (
                (f"backbone.layer{stage}.{block}", f"{body}.res{stage + 1}.{block}"),
                (f"roi_head.shared_head.layer{stage}.{block}", f"roi_heads.res5.{block}"),
            ):
                for n in (1, 2, 3):
                    layers[f"{ours}.conv{n}"] = f"{theirs}.conv{n}"
                    layers[f"{ours}.{norm}{n}"] = f"{theirs}.conv{n}.norm"
                layers[f"{ours}.downsample.0"] = f"{theirs}.shortcut"
                layers[f"{ours}.downsample.1"] = f"{theirs}.shortcut.norm"
    first = 3 if has(own, "bbox_head") else 2
    for i in range(4):
        for kind, name in (("lateral", "lateral"), ("fpn", "output")):
            ours, theirs = f"neck.{kind}_convs.{i}", f"backbone.fpn_{name}{first + i}"
            layers[f"{ours}.conv"], layers[f"{ours}.gn"] = theirs, f"{theirs}.norm"
    if first == 3:
        layers["neck.fpn_convs.3.conv"] = "backbone.top_block.p6"
        layers["neck.fpn_convs.4.conv"] = "backbone.top_block.p7"
        for i in range(4):
            layers[f"bbox_head.cls_convs.{i}.conv"] = f"head.cls_subnet.{2 * i}"
            layers[f"bbox_head.reg_convs.{i}.conv"] = f"head.bbox_subnet.{2 * i}"
        layers["bbox_head.retina_cls"] = "head.cls_score"
        layers["bbox_head.retina_reg"] = "head.bbox_pred"
    names = ("conv", "objectness_logits", "anchor_deltas")
    layers |= {ours: f"proposal_generator.rpn_head.{names[i]}" for ours, i in RPN.items()}
    return with_layers(own, layers | _detectron2_heads())


def _detectron2_heads():
    layers = {}
    for mark in ("", ".0", ".1", ".2"):
        layers[f"{BOX}{mark}.fc_cls"] = f"roi_heads.box_predictor{mark}.cls_score"
        layers[f"{BOX}{mark}.fc_reg"] = f"roi_heads.box_predictor{mark}.bbox_pred"
        for i in range(4):
            layers[f"{BOX}{mark}.shared_fcs.{i}"] = f"roi_heads.box_head{mark}.fc{i + 1}"
            conv = f"roi_heads.box_head{mark}.conv{i + 1}"
            layers[f"{BOX}{mark}.shared_convs.{i}.conv"] = conv
            layers[f"{BOX}{mark}.shared_convs.{i}.gn"] = f"{conv}.norm"
        for i in range(4):
            conv = f"roi_heads.mask_head.mask_fcn{i + 1}"
            layers[f"{MASK}{mark}.convs.{i}.conv"] = conv
            layers[f"{MASK}{mark}.convs.{i}.gn"] = f"{conv}.norm"
        layers[f"{MASK}{mark}.upsample"] = "roi_heads.mask_head.deconv"
        layers[f"{MASK}{mark}.conv_logits"] = "roi_heads.mask_head.predictor"
    for i in range(8):
        layers[f"{POINTS}.convs.{i}.conv"] = f"roi_heads.keypoint_head.conv_fcn{i + 1}"
    layers[f"{POINTS}.upsample"] = "roi_heads.keypoint_head.score_lowres"
    return layers


def detectron(own):
    """Blobs as numpy arrays; batch norms are only scale and shift."""
    norm = "gn" if has(own, "backbone.gn1") else "bn"
    layers = {"backbone.conv1": "conv1", "backbone.bn1": "res_conv1_bn", "backbone.gn1": "conv1_gn"}
    for stage, blocks in STAGES:
        for block in range(blocks):
            for head in ("backbone", "roi_head.shared_head"):
                ours, theirs = f"{head}.layer{stage}.{block}", f"res{stage + 1}_{block}"
                for n, letter in ((1, "a"), (2, "b"), (3, "c")):
                    layers[f"{ours}.conv{n}"] = f"{theirs}_branch2{letter}"
                    layers[f"{ours}.{norm}{n}"] = f"{theirs}_branch2{letter}_{norm}"
                layers[f"{ours}.downsample.0"] = f"{theirs}_branch1"
                layers[f"{ours}.downsample.1"] = f"{theirs}_branch1_{norm}"
    first = 3 if has(own, "bbox_head") else 2
    for i, blob in enumerate(("res2_2", "res3_3", "res4_5", "res5_2")[first - 2 :]):
        top = "" if blob == "res5_2" else "_lateral"
        layers[f"neck.lateral_convs.{i}.conv"] = f"fpn_inner_{blob}_sum{top}"
        layers[f"neck.lateral_convs.{i}.gn"] = f"fpn_inner_{blob}_sum{top}_gn"
        layers[f"neck.fpn_convs.{i}.conv"] = f"fpn_{blob}_sum"
        layers[f"neck.fpn_convs.{i}.gn"] = f"fpn_{blob}_sum_gn"
    if first == 3:
        layers["neck.fpn_convs.3.conv"], layers["neck.fpn_convs.4.conv"] = "fpn_6", "fpn_7"
    for i in range(4):
        layers[f"bbox_head.cls_convs.{i}.conv"] = f"retnet_cls_conv_n{i}_fpn3"
        layers[f"bbox_head.reg_convs.{i}.conv"] = f"retnet_bbox_conv_n{i}_fpn3"
        layers[f"{BOX}.shared_convs.{i}.conv"] = f"head_conv{i + 1}"
        layers[f"{BOX}.shared_convs.{i}.gn"] = f"head_conv{i + 1}_gn"
        layers[f"{BOX}.shared_fcs.{i}"] = f"fc{i + 6}"
        layers[f"{MASK}.convs.{i}.conv"] = f"_[mask]_fcn{i + 1}"
        layers[f"{MASK}.convs.{i}.gn"] = f"_mask_fcn{i + 1}_gn"
    layers["bbox_head.retina_cls"] = "retnet_cls_pred_fpn3"
    layers["bbox_head.retina_reg"] = "retnet_bbox_pred_fpn3"
    level = "_fpn2" if has(own, "neck") else ""
    names = ("conv_rpn", "rpn_cls_logits", "rpn_bbox_pred")
    layers |= {ours: f"{names[i]}{level}" for ours, i in RPN.items()}
    layers |= {f"{BOX}.fc_cls": "cls_score", f"{BOX}.fc_reg": "bbox_pred"}
    layers |= {f"{MASK}.upsample": "conv5_mask", f"{MASK}.conv_logits": "mask_fcn_logits"}
    layers |= {f"{POINTS}.convs.{i}.conv": f"conv_fcn{i + 1}" for i in range(8)}
    layers[f"{POINTS}.upsample"] = "kps_score_lowres"
    kept = {k: v for k, v in background_first(own).items() if "running_" not in k}
    blobs = {}
    for name, value in with_layers(kept, layers).items():
        layer, _, parameter = name.rpartition(".")
        weight = "_s" if layer.endswith(("_bn", "_gn")) else "_w"
        blobs[layer + (weight if parameter == "weight" else "_b")] = value.numpy()
    return blobs


def detectron_pytorch(own):
    """A state dict; batch norms are only scale and shift, the pyramid counts from its top."""
    fpn = has(own, "neck")
    body = "Conv_Body.conv_body" if fpn else "Conv_Body"
    layers = {"backbone.conv1": f"{body}.res1.conv1", "backbone.bn1": f"{body}.res1.bn1"}
    for stage, blocks in STAGES:
        for block in range(blocks):
            for ours, theirs in (
                (f"backbone.layer{stage}.{block}", f"{body}.res{stage + 1}.{block}"),
                (f"roi_head.shared_head.layer{stage}.{block}", f"Box_Head.res5.{block}"),
            ):
                for part in ("conv1", "conv2", "conv3", "bn1", "bn2", "bn3"):
                    layers[f"{ours}.{part}"] = f"{theirs}.{part}"
                layers[f"{ours}.downsample.0"] = f"{theirs}.downsample.0"
                layers[f"{ours}.downsample.1"] = f"{theirs}.downsample.1"
    layers["neck.lateral_convs.3.conv"] = "Conv_Body.conv_top"
    for i in range(3):
        layers[f"neck.lateral_convs.{2 - i}.conv"] = (
            f"Conv_Body.topdown_lateral_modules.{i}.conv_lateral"
        )
    layers |= {f"neck.fpn_convs.{3 - i}.conv": f"Conv_Body.posthoc_modules.{i}" for i in range(4)}
    names = ("RPN_conv", "RPN_cls_score", "RPN_bbox_pred")
    layers |= {ours: f"RPN.{'FPN_' if fpn else ''}{names[i]}" for ours, i in RPN.items()}
    layers |= {f"{BOX}.shared_fcs.{i}": f"Box_Head.fc{i + 1}" for i in range(2)}
    layers |= {f"{BOX}.fc_cls": "Box_Outs.cls_score", f"{BOX}.fc_reg": "Box_Outs.bbox_pred"}
    layers |= {f"{MASK}.convs.{i}.conv": f"Mask_Head.conv_fcn.{2 * i}" for i in range(4)}
    layers[f"{MASK}.upsample"] = "Mask_Head.upconv" if fpn else "Mask_Head.upconv5"
    layers[f"{MASK}.conv_logits"] = "Mask_Outs.classify"
    layers |= {f"{POINTS}.convs.{i}.conv": f"Keypoint_Head.conv_fcn.{2 * i}" for i in range(8)}
    layers[f"{POINTS}.upsample"] = "Keypoint_Outs.classify"
    kept = {k: v for k, v in background_first(own).items() if "running_" not in k}
    return with_layers(kept, layers)


def octaves_outside(own, ratios=(0.5, 1.0, 2.0)):
    """Anchors counted ratio inside scale, as the dense heads of Detectron and Detectron2 do.

    ``own`` has the ratios 0.5, 1 and 2, the result those of ``ratios`` in their order.
    """
    result = dict(own)
    for key, value in own.items():
        if any(layer in key for layer in ("retina_cls", "retina_reg", "rpn_cls", "rpn_reg")):
            anchors = len(own[key.replace("_cls", "_reg").rpartition(".")[0] + ".bias"]) // 4
            scales, each = anchors // len(ratios), len(value) // anchors
            theirs = torch.empty_like(value)
            for scale in range(scales):
                for place, ratio in enumerate(ratios):
                    to = (scale * len(ratios) + place) * each
                    start = ((0.5, 1.0, 2.0).index(ratio) * scales + scale) * each
                    theirs[to : to + each] = value[start : start + each]
            result[key] = theirs
    return result
