"""Pictures: annotations and predictions drawn on images."""

from mmdet_lite.visualization.colors import contrasting, generated_palette, instance_colors
from mmdet_lite.visualization.drawing import draw_instances, side_by_side, titled, write_image
from mmdet_lite.visualization.hook import DetVisualizationHook, spare_pictures
from mmdet_lite.visualization.keypoint_drawing import draw_keypoints, visible_joints
from mmdet_lite.visualization.labels import Label, draw_labels, scaled_font_size, text_tile
from mmdet_lite.visualization.local_visualizer import DetLocalVisualizer

__all__ = [
    "DetLocalVisualizer",
    "DetVisualizationHook",
    "Label",
    "contrasting",
    "draw_instances",
    "draw_keypoints",
    "draw_labels",
    "generated_palette",
    "instance_colors",
    "scaled_font_size",
    "side_by_side",
    "spare_pictures",
    "text_tile",
    "titled",
    "visible_joints",
    "write_image",
]
