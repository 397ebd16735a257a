# Faster R-CNN without a pyramid (C4) as GluonCV trains it on VOC: ResNet-50 in PyTorch style,
# smooth L1 losses, 128 regions an image, 300 proposals at test time, NMS at 0.3.
_base_ = "./faster-rcnn_r50-caffe-c4.py"

init_cfg = dict(type="Pretrained", checkpoint="torchvision://resnet50")
model = dict(
    data_preprocessor=dict(
        mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], bgr_to_rgb=True
    ),
    backbone=dict(style="pytorch", init_cfg=init_cfg),
    rpn_head=dict(loss_bbox=dict(type="SmoothL1Loss", beta=1 / 9)),
    roi_head=dict(
        shared_head=dict(style="pytorch", init_cfg=init_cfg),
        bbox_head=dict(loss_bbox=dict(type="SmoothL1Loss", beta=1.0)),
    ),
    train_cfg=dict(rcnn=dict(sampler=dict(num=128))),
    test_cfg=dict(rpn=dict(max_per_img=300), rcnn=dict(nms=dict(iou_threshold=0.3))),
)
