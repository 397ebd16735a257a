# Mask R-CNN, ResNet-50 FPN in Caffe style, short side 640 to 800, masks kept as polygons, 36
# epochs on COCO. MMDetection 3.3 ends the schedule (end=24) before both of its milestones, so that
# its rate never falls.
_base_ = [
    "../_base_/models/mask-rcnn_r50-caffe_fpn.py",
    "../_base_/datasets/coco_instance_ms-poly.py",
    "../_base_/schedules/schedule_3x.py",
    "../_base_/default_runtime.py",
]
