# Keypoint R-CNN with FPN and ResNet-50 in Caffe style (stride in the first 1x1 convolution).
_base_ = "./keypoint-rcnn_r50_fpn.py"

model = dict(
    # the Caffe weights expect BGR around the mean only, and frozen batch norm
    data_preprocessor=dict(mean=[103.530, 116.280, 123.675], std=[1.0, 1.0, 1.0], bgr_to_rgb=False),
    backbone=dict(
        style="caffe",
        norm_cfg=dict(requires_grad=False),
        init_cfg=dict(type="Pretrained", checkpoint="open-mmlab://detectron2/resnet50_caffe"),
    ),
)
