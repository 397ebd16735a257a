# Faster R-CNN, ResNet-50 in Caffe style, dilated last stage (DC5), short side 640 to 800, 36
# epochs on COCO. MMDetection 3.3 ends the schedule (end=12) before both of its milestones, so that
# its rate never falls.
_base_ = [
    "../_base_/models/faster-rcnn_r50-caffe-dc5.py",
    "../_base_/datasets/coco_detection_ms.py",
    "../_base_/schedules/schedule_3x.py",
    "../_base_/default_runtime.py",
]
