# Keypoint R-CNN R-50 FPN as Detectron2 runs it to compare with Detectron: RoIs are not moved by
# half a pixel, with two samples a bin and side.
_base_ = "./keypoint-rcnn_r50_fpn_detectron2.py"

roi_extractor = dict(roi_layer=dict(aligned=False, sampling_ratio=2))
model = dict(roi_head=dict(bbox_roi_extractor=roi_extractor, keypoint_roi_extractor=roi_extractor))
