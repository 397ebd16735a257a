"""Config files: reading, translating older spellings, checking against the components."""

from mmdet_lite.config.classes import fill_num_classes
from mmdet_lite.config.components import check_components
from mmdet_lite.config.constructors import errors_name_their_key
from mmdet_lite.config.load import load_config
from mmdet_lite.config.tta import with_test_time_augmentation

__all__ = [
    "check_components",
    "errors_name_their_key",
    "fill_num_classes",
    "load_config",
    "with_test_time_augmentation",
]
