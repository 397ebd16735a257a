"""The error of a config key, which knows its key."""


class ConfigError(ValueError):
    """A key of a config is wrong; the message starts with its dotted name.

    ``key`` is the dotted name, ``word`` what to look for in the files to say where it was written:
    the last part of the key where nothing else is given.
    """

    def __init__(self, key: str, text: str, word: str | None = None) -> None:
        super().__init__(f"{key}: {text}")
        self.key = key
        self.word = word or key.split(".")[-1]
