"""What goes through a pipeline: one sample, as a dict that transforms read and complete.

A data set puts in ``img_path, img_id, height, width, instances``. Loading adds ``img`` (H, W, C),
``img_shape`` and ``ori_shape``, and of G objects ``gt_bboxes`` (G, 4), ``gt_bboxes_labels`` (G,),
``gt_ignore_flags`` (G,), ``gt_masks`` and ``gt_keypoints`` (G, J, 3). Each transform says what it
adds further.
"""

from typing import Any

Results = dict[str, Any]
