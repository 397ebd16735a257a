# Mask R-CNN R-50 FPN with group norm for the baselines of Detectron: RoIs are not moved by half a
# pixel, anchors are centred in their cells, masks pasted into boxes of whole pixels.
_base_ = "../gn/mask-rcnn_r50_fpn_gn-all_2x_coco.py"

roi_extractor = dict(roi_layer=dict(aligned=False, sampling_ratio=2))
model = dict(
    data_preprocessor=dict(mean=[102.9801, 115.9465, 122.7717]),
    backbone=dict(init_cfg=None),
    rpn_head=dict(anchor_generator=dict(center_offset=0.5)),
    roi_head=dict(bbox_roi_extractor=roi_extractor, mask_roi_extractor=roi_extractor),
    test_cfg=dict(rcnn=dict(mask_paste="whole_pixels")),
)
