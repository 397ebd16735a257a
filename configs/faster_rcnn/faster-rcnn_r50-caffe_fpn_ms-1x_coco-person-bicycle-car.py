# Faster R-CNN, ResNet-50 FPN in Caffe style, three classes of COCO, from weights trained on all of
# it.
_base_ = [
    "../_base_/models/faster-rcnn_r50-caffe_fpn.py",
    "../_base_/datasets/coco_detection_ms.py",
    "../_base_/schedules/schedule_1x.py",
    "../_base_/default_runtime.py",
]

model = dict(roi_head=dict(bbox_head=dict(num_classes=3)))
palette = [(220, 20, 60), (119, 11, 32), (0, 0, 142)]
metainfo = dict(classes=("person", "bicycle", "car"), palette=palette)
loader = dict(dataset=dict(metainfo=metainfo))
train_dataloader = val_dataloader = test_dataloader = loader
load_from = "https://download.openmmlab.com/mmdetection/v2.0/faster_rcnn/faster_rcnn_r50_caffe_fpn_mstrain_3x_coco/faster_rcnn_r50_caffe_fpn_mstrain_3x_coco_bbox_mAP-0.398_20200504_163323-30042637.pth"
