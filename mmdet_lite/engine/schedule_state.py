"""What of a parameter scheduler is progress, and what is the config's."""

from collections.abc import Mapping
from typing import Any

# the rest of a mmengine scheduler's state (milestones, end, ...) is what the config says
PROGRESS = {
    "_global_step",
    "_last_value",
    "base_values",
    "best",
    "cooldown_counter",
    "last_step",
    "num_bad_epochs",
}


def schedule_progress(states: Any, schedulers: Any) -> Any:
    """The schedulers' saved states without what this run's config decides.

    So a resumed run follows its own config: with a raised ``max_epochs`` or other milestones the
    saved ones do not come back. States of schedulers that are not mmengine's are kept whole.

    Args:
        states: ``param_schedulers`` of a checkpoint: a list, or a dict of lists.
        schedulers: the built schedulers in the same form.
    """
    if isinstance(states, Mapping):
        return {name: schedule_progress(states[name], schedulers[name]) for name in states}
    return [
        {key: value for key, value in state.items() if key in PROGRESS}
        if type(scheduler).__module__.startswith("mmengine.")
        else state
        for state, scheduler in zip(states, schedulers, strict=True)
    ]


def catch_up(schedulers: Any) -> None:
    """Make the steps that a scheduler did not make because its range ended earlier when saved.

    A schedule that ended with epoch 12 did not step there; where the config now goes on to 24,
    the step after epoch 12 is made up for, as if 24 had been planned from the start.
    """
    if isinstance(schedulers, Mapping):
        schedulers = [scheduler for group in schedulers.values() for scheduler in group]
    for scheduler in schedulers or []:
        done, begin = scheduler._global_step, scheduler.begin
        if "ReduceOnPlateau" in type(scheduler).__name__ or done < begin:
            continue
        missed = min(done, scheduler.end - 1) - begin - scheduler.last_step
        scheduler._global_step -= max(0, missed)
        for _ in range(max(0, missed)):
            scheduler.step()


def without_functions(states: Any) -> Any:
    """The schedulers' states without the functions that some (OneCycleLR) keep in theirs."""
    if isinstance(states, Mapping):
        return {name: without_functions(states[name]) for name in states}
    return [{key: state[key] for key in state if not callable(state[key])} for state in states]
