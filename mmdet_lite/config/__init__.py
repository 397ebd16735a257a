"""Config files: reading, translating older spellings, checking against the components."""

from mmdet_lite.config.classes import fill_num_classes
from mmdet_lite.config.components import check_components
from mmdet_lite.config.constructors import errors_name_their_key
from mmdet_lite.config.leaves import ABSENT, differences, leaves
from mmdet_lite.config.load import load_config
from mmdet_lite.config.origins import Origin, key_origins
from mmdet_lite.config.tta import with_test_time_augmentation

__all__ = [
    "ABSENT",
    "Origin",
    "check_components",
    "differences",
    "errors_name_their_key",
    "fill_num_classes",
    "key_origins",
    "leaves",
    "load_config",
    "with_test_time_augmentation",
]
