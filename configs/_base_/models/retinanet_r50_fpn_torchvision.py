# RetinaNet with ResNet-50 and FPN as torchvision has it: the extra levels come from the pyramid's
# last map with a ReLU between them, anchors on whole pixels have three whole-numbered sizes a
# level, widths are bounded above only, norms have no epsilon, and 300 detections remain.
_base_ = "./retinanet_r50_fpn.py"

model = dict(
    backbone=dict(
        # eps 0 is that of the COCO weights, and stays when they are fine-tuned; in a training from
        # ImageNet weights it is 1e-5
        norm_cfg=dict(type="BN", requires_grad=False, eps=0.0),
        init_cfg=None,
    ),
    neck=dict(add_extra_convs="on_output", relu_before_extra_convs=True),
    bbox_head=dict(
        anchor_generator=dict(
            _delete_=True,
            type="TorchvisionAnchorGenerator",
            strides=[8, 16, 32, 64, 128],
            # one third and two thirds of an octave more, rounded down
            sizes=[
                [32, 40, 50],
                [64, 80, 101],
                [128, 161, 203],
                [256, 322, 406],
                [512, 645, 812],
            ],
        ),
        bbox_coder=dict(add_ctr_clamp=True, ctr_clamp=1e9),
    ),
    test_cfg=dict(min_bbox_size=-1, max_per_img=300),
)
