"""The default data set: photograph-like scenes with balloons, drawn from a seed."""

from mmdet_lite.datasets.balloon_scenes.scene import Scene, draw_scene
from mmdet_lite.datasets.balloon_scenes.split import (
    ANNOTATION_FILE,
    SPLITS,
    existing_splits,
    write_split,
)

__all__ = [
    "ANNOTATION_FILE",
    "SPLITS",
    "Scene",
    "draw_scene",
    "existing_splits",
    "write_split",
]
