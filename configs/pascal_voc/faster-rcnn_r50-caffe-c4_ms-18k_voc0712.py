# Faster R-CNN, ResNet-50 in Caffe style without a pyramid (C4), short side 480 to 800, 18,000
# iterations, trained on VOC 2007 and 2012.
_base_ = [
    "../_base_/models/faster-rcnn_r50-caffe-c4.py",
    "../_base_/datasets/voc0712_ms.py",
    "../_base_/schedules/schedule_voc-18k.py",
    "../_base_/default_runtime.py",
]

model = dict(roi_head=dict(bbox_head=dict(num_classes=20)))
default_hooks = dict(checkpoint=dict(by_epoch=False, interval=3000))
log_processor = dict(by_epoch=False)
