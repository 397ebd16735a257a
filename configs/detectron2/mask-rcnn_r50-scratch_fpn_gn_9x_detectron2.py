# Mask R-CNN R-50 FPN with group norm, nothing pretrained, as Detectron2 runs its 9x model: images
# are divided by their deviations. The schedule here is its 3x.
_base_ = "./mask-rcnn_r50-scratch_fpn_gn_detectron2.py"

model = dict(data_preprocessor=dict(std=[57.375, 57.120, 58.395]))
