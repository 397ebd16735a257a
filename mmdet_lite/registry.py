"""All registries of the package, children of mmengine's.

Each names the modules that hold its components (``locations``), so looking a type up imports what
it needs and no import exists for its side effect alone. A class registered here under a name that
mmengine also has is found first.
"""

from mmengine.registry import DATA_SAMPLERS as ENGINE_DATA_SAMPLERS
from mmengine.registry import DATASETS as ENGINE_DATASETS
from mmengine.registry import EVALUATOR as ENGINE_EVALUATOR
from mmengine.registry import HOOKS as ENGINE_HOOKS
from mmengine.registry import INFERENCERS as ENGINE_INFERENCERS
from mmengine.registry import LOG_PROCESSORS as ENGINE_LOG_PROCESSORS
from mmengine.registry import LOOPS as ENGINE_LOOPS
from mmengine.registry import METRICS as ENGINE_METRICS
from mmengine.registry import MODEL_WRAPPERS as ENGINE_MODEL_WRAPPERS
from mmengine.registry import MODELS as ENGINE_MODELS
from mmengine.registry import OPTIM_WRAPPER_CONSTRUCTORS as ENGINE_OPTIM_WRAPPER_CONSTRUCTORS
from mmengine.registry import OPTIM_WRAPPERS as ENGINE_OPTIM_WRAPPERS
from mmengine.registry import OPTIMIZERS as ENGINE_OPTIMIZERS
from mmengine.registry import PARAM_SCHEDULERS as ENGINE_PARAM_SCHEDULERS
from mmengine.registry import RUNNER_CONSTRUCTORS as ENGINE_RUNNER_CONSTRUCTORS
from mmengine.registry import RUNNERS as ENGINE_RUNNERS
from mmengine.registry import TASK_UTILS as ENGINE_TASK_UTILS
from mmengine.registry import TRANSFORMS as ENGINE_TRANSFORMS
from mmengine.registry import VISBACKENDS as ENGINE_VISBACKENDS
from mmengine.registry import VISUALIZERS as ENGINE_VISUALIZERS
from mmengine.registry import WEIGHT_INITIALIZERS as ENGINE_WEIGHT_INITIALIZERS
from mmengine.registry import Registry

SCOPE = "mmdet_lite"


def _child(name: str, parent: Registry, *locations: str) -> Registry:
    """A registry of ours below mmengine's; ``locations`` are sub-packages of this package."""
    return Registry(
        name, parent=parent, scope=SCOPE, locations=[f"{SCOPE}.{room}" for room in locations]
    )


DATASETS = _child("dataset", ENGINE_DATASETS, "datasets")
DATA_SAMPLERS = _child("data sampler", ENGINE_DATA_SAMPLERS, "datasets")
TRANSFORMS = _child("transform", ENGINE_TRANSFORMS, "datasets.transforms")
MODELS = _child("model", ENGINE_MODELS, "models")
MODEL_WRAPPERS = _child("model_wrapper", ENGINE_MODEL_WRAPPERS, "models")
TASK_UTILS = _child("task util", ENGINE_TASK_UTILS, "models.task_modules")
WEIGHT_INITIALIZERS = _child("weight initializer", ENGINE_WEIGHT_INITIALIZERS, "checkpoint")
METRICS = _child("metric", ENGINE_METRICS, "evaluation")
EVALUATOR = _child("evaluator", ENGINE_EVALUATOR, "evaluation")
VISUALIZERS = _child("visualizer", ENGINE_VISUALIZERS, "visualization")
VISBACKENDS = _child("vis_backend", ENGINE_VISBACKENDS, "visualization")
RUNNERS = _child("runner", ENGINE_RUNNERS, "engine")
RUNNER_CONSTRUCTORS = _child("runner constructor", ENGINE_RUNNER_CONSTRUCTORS, "engine")
LOOPS = _child("loop", ENGINE_LOOPS, "engine")
HOOKS = _child("hook", ENGINE_HOOKS, "engine", "visualization", "datasets")
LOG_PROCESSORS = _child("log_processor", ENGINE_LOG_PROCESSORS, "engine")
OPTIMIZERS = _child("optimizer", ENGINE_OPTIMIZERS, "engine")
OPTIM_WRAPPERS = _child("optim_wrapper", ENGINE_OPTIM_WRAPPERS, "engine")
OPTIM_WRAPPER_CONSTRUCTORS = _child(
    "optimizer wrapper constructor", ENGINE_OPTIM_WRAPPER_CONSTRUCTORS, "engine"
)
PARAM_SCHEDULERS = _child("parameter scheduler", ENGINE_PARAM_SCHEDULERS, "engine")
INFERENCERS = _child("inferencer", ENGINE_INFERENCERS, "apis")
