"""Pictures: annotations and predictions drawn on images."""

from mmdet_lite.visualization.annotated_picture import (
    AnnotatedPicture,
    annotated_entry,
    draw_annotated,
)
from mmdet_lite.visualization.colors import contrasting, generated_palette, instance_colors
from mmdet_lite.visualization.displayable import as_picture
from mmdet_lite.visualization.drawing import draw_instances, side_by_side, titled, write_image
from mmdet_lite.visualization.hook import DetVisualizationHook, spare_pictures
from mmdet_lite.visualization.keypoint_drawing import draw_keypoints, visible_joints
from mmdet_lite.visualization.labels import Label, draw_labels, scaled_font_size, text_tile
from mmdet_lite.visualization.local_visualizer import DetLocalVisualizer
from mmdet_lite.visualization.sheets import arrange, evenly, grid, on_paper, same_height

__all__ = [
    "AnnotatedPicture",
    "DetLocalVisualizer",
    "DetVisualizationHook",
    "Label",
    "annotated_entry",
    "arrange",
    "as_picture",
    "contrasting",
    "draw_annotated",
    "draw_instances",
    "draw_keypoints",
    "draw_labels",
    "evenly",
    "generated_palette",
    "grid",
    "instance_colors",
    "on_paper",
    "same_height",
    "scaled_font_size",
    "side_by_side",
    "spare_pictures",
    "text_tile",
    "titled",
    "visible_joints",
    "write_image",
]
