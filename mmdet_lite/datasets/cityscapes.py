"""Cityscapes: eight classes of objects on streets."""

from collections.abc import Mapping
from typing import Any, ClassVar

from mmdet_lite.datasets.base import Entry
from mmdet_lite.datasets.coco import CocoDataset
from mmdet_lite.ops.cityscapes_labels import INSTANCE_CLASSES, INSTANCE_PALETTE
from mmdet_lite.registry import DATASETS


@DATASETS.register_module()
class CityscapesDataset(CocoDataset):
    """Cityscapes in COCO form, as ``tools/dataset_converters/cityscapes.py`` writes it.

    The arguments are CocoDataset's, ``metainfo`` is that of Cityscapes where it is left out.
    Objects that were only marked as a group (``iscrowd``) are ignored instances, and
    ``filter_empty_gt`` also drops an image that has nothing else.

    Source: classes, colours and filter are MMDetection 3's.
    """

    METAINFO: ClassVar[dict[str, Any]] = {
        "classes": INSTANCE_CLASSES,
        "palette": list(INSTANCE_PALETTE),
    }

    def filter_further(
        self, entries: list[Entry], filter_cfg: Mapping[str, Any]
    ) -> tuple[list[Entry], str]:
        """Keep the images with an object that is no group, if empty ones are not wanted."""
        kept = entries
        if filter_cfg.get("filter_empty_gt", False):
            kept = [e for e in entries if any(not i["ignore_flag"] for i in e["instances"])]
        lines = f"  with groups (iscrowd) only: {len(entries) - len(kept)}\n"
        kept, more = super().filter_further(kept, filter_cfg)
        return kept, lines + more
