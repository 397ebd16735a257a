# Faster R-CNN, ResNet-50 FPN, BoundedIoULoss on the decoded boxes, 12 epochs on COCO.
_base_ = "./faster-rcnn_r50_fpn_1x_coco.py"

loss_bbox = dict(type="BoundedIoULoss", loss_weight=10.0)
model = dict(roi_head=dict(bbox_head=dict(reg_decoded_bbox=True, loss_bbox=loss_bbox)))
