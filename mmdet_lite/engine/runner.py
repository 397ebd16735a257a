"""mmengine's Runner with a screen that shows what a person reads."""

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from mmengine.logging import MessageHub, MMLogger
from mmengine.runner import Runner

# Starts of messages that go to the log file only.
FILE_ONLY = (
    f"\n{'-' * 60}\nSystem environment:",
    "Config:\n",
    "Hooks will be executed in the following order:",
    "Distributed training is not used, all SyncBatchNorm",
    '"FileClient" will be deprecated',
    '"HardDiskBackend" is the alias',
)


class DetRunner(Runner):
    """mmengine's Runner; environment, config and hooks go to the log file, not to the screen."""

    def build_logger(self, *args: Any, **kwargs: Any) -> MMLogger:
        """Build mmengine's logger and shorten what its screen shows."""
        logger: MMLogger = super().build_logger(*args, **kwargs)
        for handler in logger.handlers:
            if not isinstance(handler, logging.FileHandler):
                handler.addFilter(is_for_the_screen)
        return logger

    def build_message_hub(self, message_hub: dict[str, Any] | None = None) -> MessageHub:
        """Build mmengine's message hub and tell it the work directory, for who lists files there.

        It is not kept in checkpoints: a training may go on elsewhere.
        """
        hub: MessageHub = super().build_message_hub(message_hub)
        hub.update_info("work_dir", self.work_dir, resumed=False)
        return hub

    def _init_model_weights(self) -> None:
        """Initialise the model; where a file is missing, say which keys of the config ask for it.

        Raises:
            FileNotFoundError: there is no such file, or no network to fetch it.
        """
        try:
            super()._init_model_weights()
        except FileNotFoundError as error:
            asking = [
                key
                for key, checkpoint in pretrained_keys(self.cfg.get("model"), "model")
                if checkpoint in str(error)
            ]
            if not asking:
                raise
            options = " ".join(f"{key}=None" for key in asking)
            raise FileNotFoundError(
                f"{error}: {', '.join(asking)}; for random weights: --cfg-options {options}"
            ) from error


def pretrained_keys(node: Any, where: str) -> Iterator[tuple[str, str]]:
    """Each ``init_cfg`` of a config that asks for a file: its dotted key and the file's name.

    >>> model = {"backbone": {"init_cfg": {"type": "Pretrained", "checkpoint": "a.pth"}}}
    >>> list(pretrained_keys(model, "model"))
    [('model.backbone.init_cfg', 'a.pth')]
    """
    if isinstance(node, list | tuple):
        for i, item in enumerate(node):
            yield from pretrained_keys(item, f"{where}.{i}")
    if isinstance(node, Mapping):
        if node.get("type") == "Pretrained" and isinstance(node.get("checkpoint"), str):
            yield where, node["checkpoint"]
        for key, item in node.items():
            yield from pretrained_keys(item, f"{where}.{key}")


def is_for_the_screen(record: logging.LogRecord) -> bool:
    """Whether a log record is more than one of mmengine's long listings."""
    return not record.getMessage().startswith(FILE_ONLY)
