"""One process of an evaluation by source; run by test_multi_datasets_evaluator.py."""

import json
import sys
from pathlib import Path

import torch.distributed as dist
from joined_sets import evaluated
from mmengine.registry import init_default_scope

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    dist.init_process_group("gloo")
    init_default_scope("mmdet_lite")
    (folder / f"{dist.get_rank()}.json").write_text(json.dumps(evaluated(folder)))
