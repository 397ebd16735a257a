# Cascade Mask R-CNN with FPN and ResNet-50 as Detectron2 has it: the deltas of its stages are
# multiplied by 10, 10, 5, 5, then 20, 20, 10, 10, then 30, 30, 15, 15.
_base_ = "./cascade-mask-rcnn_r50-caffe_fpn.py"

model = dict(
    roi_head=dict(
        bbox_head=[
            dict(head, bbox_coder=dict(head["bbox_coder"], target_stds=stds))
            for head, stds in zip(
                _base_.model.roi_head.bbox_head,
                (
                    [0.1, 0.1, 0.2, 0.2],
                    [0.05, 0.05, 0.1, 0.1],
                    [1 / 30, 1 / 30, 1 / 15, 1 / 15],
                ),
                strict=True,
            )
        ]
    )
)
