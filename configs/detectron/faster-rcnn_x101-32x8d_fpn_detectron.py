# Faster R-CNN X-101-32x8d FPN for the baselines of Detectron: strides on the 3x3 convolutions.
_base_ = "../detectron_tutorial/faster-rcnn_r50-caffe_fpn_8xb2-1x_coco.py"

model = dict(
    backbone=dict(
        type="ResNeXt", depth=101, groups=32, base_width=8, style="pytorch", init_cfg=None
    )
)
