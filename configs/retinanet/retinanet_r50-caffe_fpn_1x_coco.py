# RetinaNet, ResNet-50 FPN in Caffe style, 12 epochs on COCO.
_base_ = "./retinanet_r50_fpn_1x_coco.py"

model = dict(
    # the Caffe weights expect BGR around the mean only, and frozen batch norm
    data_preprocessor=dict(mean=[103.530, 116.280, 123.675], std=[1.0, 1.0, 1.0], bgr_to_rgb=False),
    backbone=dict(
        style="caffe",
        norm_cfg=dict(requires_grad=False),
        init_cfg=dict(type="Pretrained", checkpoint="open-mmlab://detectron2/resnet50_caffe"),
    ),
)
