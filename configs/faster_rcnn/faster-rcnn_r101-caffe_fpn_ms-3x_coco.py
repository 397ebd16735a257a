# Faster R-CNN, ResNet-101 FPN in Caffe style, short side 640 to 800, 36 epochs on COCO. As in
# MMDetection 3.3, images are RGB with deviations, which the published weights want too.
_base_ = [
    "../_base_/models/faster-rcnn_r50_fpn.py",
    "../_base_/datasets/coco_detection_ms-3x.py",
    "../_base_/schedules/schedule_3x-repeated.py",
    "../_base_/default_runtime.py",
]

init_cfg = dict(type="Pretrained", checkpoint="open-mmlab://detectron2/resnet101_caffe")
norm_cfg = dict(requires_grad=False)
model = dict(backbone=dict(depth=101, style="caffe", norm_cfg=norm_cfg, init_cfg=init_cfg))
