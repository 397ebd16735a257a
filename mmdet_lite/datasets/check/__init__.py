"""Finding what is wrong with annotated images, before anything is trained on them.

Rules stand in files by what they look at (``ids``, ``categories``, ``boxes``, ``outlines``,
``joints``, ``values``, ``images``, ``duplicates``), ``rules`` applies them all, ``codes`` lists
what they can find, ``training`` is the cheap part that every training begins with, ``fix`` mends.
"""

from mmdet_lite.datasets.check.annotated_set import AnnotatedSet, Uses, annotated_set
from mmdet_lite.datasets.check.categories import checkpoint_classes
from mmdet_lite.datasets.check.codes import KINDS, Kind, finding
from mmdet_lite.datasets.check.config_sets import dataset_cfgs, read_sets, refusal_of
from mmdet_lite.datasets.check.fix import fix_content, fixed_text, refusal_to_fix
from mmdet_lite.datasets.check.image_facts import (
    ImageFacts,
    load_cache,
    read_all_facts,
    save_cache,
)
from mmdet_lite.datasets.check.records import (
    SEVERITIES,
    DataReport,
    Finding,
    FunnelStep,
    Histogram,
    SetStatistics,
)
from mmdet_lite.datasets.check.rules import check_content, check_sets, in_order
from mmdet_lite.datasets.check.training import CheckDataHook, check_before_training

__all__ = [
    "KINDS",
    "SEVERITIES",
    "AnnotatedSet",
    "CheckDataHook",
    "DataReport",
    "Finding",
    "FunnelStep",
    "Histogram",
    "ImageFacts",
    "Kind",
    "SetStatistics",
    "Uses",
    "annotated_set",
    "check_before_training",
    "check_content",
    "check_sets",
    "checkpoint_classes",
    "dataset_cfgs",
    "finding",
    "fix_content",
    "fixed_text",
    "in_order",
    "load_cache",
    "read_all_facts",
    "read_sets",
    "refusal_of",
    "refusal_to_fix",
    "save_cache",
]
