# RetinaNet as torchvision runs retinanet_resnet50_fpn; see faster-rcnn_r50_fpn_torchvision.py.
# Besides: the extra levels come from the pyramid's last map with a ReLU between them, anchors have
# three whole-numbered sizes a level, and 300 detections remain.
_base_ = [
    "../_base_/models/retinanet_r50_fpn_torchvision.py",
    "../_base_/datasets/coco_detection_torchvision.py",
    "../_base_/schedules/schedule_1x.py",
    "../_base_/default_runtime.py",
]

optim_wrapper = dict(optimizer=dict(lr=0.01))
