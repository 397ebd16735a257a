"""mmengine's Runner with a screen that shows what a person reads."""

import logging
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


def is_for_the_screen(record: logging.LogRecord) -> bool:
    """Whether a log record is more than one of mmengine's long listings."""
    return not record.getMessage().startswith(FILE_ONLY)
