# Detectron's tutorial: as schedule_90k_detectron.py, 7,500 iterations and a tenth of the rate after
# 3,750 and 5,000.
_base_ = "./schedule_90k_detectron.py"

train_cfg = dict(max_iters=7500)
param_scheduler = _base_.param_scheduler
param_scheduler[1].end = 7500
param_scheduler[1].milestones = [3750, 5000]
