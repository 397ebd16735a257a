import torch
from mmengine.optim import LinearLR, MultiStepLR

from mmdet_lite.engine.schedule_state import catch_up, schedule_progress, without_functions


def optimizer():
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)


def test_schedule_of_the_config_wins_over_the_saved_one():
    saved = MultiStepLR(optimizer(), milestones=[2], gamma=0.1, end=4).state_dict()
    scheduler = MultiStepLR(optimizer(), milestones=[3], gamma=0.5, end=9)
    (progress,) = schedule_progress([saved], [scheduler])
    assert not {"milestones", "gamma", "end"} & set(progress)
    assert progress["last_step"] == saved["last_step"]
    named = schedule_progress({"a": [saved]}, {"a": [scheduler]})
    assert named == {"a": [progress]}


def test_step_missed_at_an_earlier_end_is_made_up_for():
    longer = MultiStepLR(optimizer(), milestones=[2, 3], gamma=0.5, end=4)
    shorter = MultiStepLR(optimizer(), milestones=[2, 3], gamma=0.5, end=2)
    for scheduler in (longer, shorter):
        scheduler.step()
        scheduler.step()
    assert shorter.optimizer.param_groups[0]["lr"] == 1.0
    shorter.end = 4
    catch_up([shorter])
    assert shorter.optimizer.param_groups == longer.optimizer.param_groups or (
        shorter.optimizer.param_groups[0]["lr"] == longer.optimizer.param_groups[0]["lr"] == 0.5
    )
    assert (shorter.last_step, shorter._global_step) == (longer.last_step, longer._global_step)


def test_schedules_that_missed_nothing_stay_and_none_is_no_error():
    warmup = LinearLR(optimizer(), start_factor=0.1, begin=0, end=3)
    for _ in range(5):
        warmup.step()
    before = warmup.state_dict().copy()
    catch_up([warmup])
    catch_up({"a": [warmup]})
    catch_up(None)
    catch_up([])
    assert warmup.state_dict() == before


def test_functions_are_left_out():
    assert without_functions([{"a": 1, "f": len}]) == [{"a": 1}]
    assert without_functions({"x": [{"f": len}]}) == {"x": [{}]}
    assert without_functions([]) == []
