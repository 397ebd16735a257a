# Mask R-CNN, ResNet-101 FPN in Caffe style, short side 640 to 800, masks kept as polygons, 36
# epochs on COCO.
_base_ = [
    "../_base_/models/mask-rcnn_r50-caffe_fpn.py",
    "../_base_/datasets/coco_instance_ms-poly-3x.py",
    "../_base_/schedules/schedule_3x-repeated.py",
    "../_base_/default_runtime.py",
]

model = dict(
    backbone=dict(
        depth=101,
        init_cfg=dict(type="Pretrained", checkpoint="open-mmlab://detectron2/resnet101_caffe"),
    )
)
