"""Detectron's and Detectron.pytorch's YAML files as config files of this program."""

from mmdet_lite.config.detectron.keys import Settings, read_settings
from mmdet_lite.config.detectron.translate import translate

__all__ = ["Settings", "read_settings", "translate"]
