"""Published models by name: where their weights are, which config builds them."""

import difflib
import json
import site
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from mmdet_lite.checkpoint.download import Fingerprint

TABLE = Path(__file__).with_name("zoo.json")
CONFIG_ENDINGS = (".py", ".json", ".yaml", ".yml")
FILE_ENDINGS = (*CONFIG_ENDINGS, ".pth", ".pt", ".pkl", ".ckpt", ".safetensors")
INSTALLED = Path("share", "mmdet_lite", "configs")


@dataclass(frozen=True)
class ZooModel:
    """One published model; what is None is not known.

    ``source`` is the program that published it, ``config`` a file below ``configs/``, ``ap`` the
    published result on the program's own validation set, ``fingerprint`` what a download is
    compared with.
    """

    name: str
    source: str
    url: str
    config: str | None
    fingerprint: Fingerprint
    ap: Mapping[str, float] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()


@lru_cache(maxsize=1)
def zoo_models() -> dict[str, ZooModel]:
    """All models, by name."""
    table = json.loads(TABLE.read_text(encoding="utf-8"))
    return {row["name"]: _model(row) for row in table["models"]}


def find_model(name: str) -> ZooModel:
    """The model called ``name``: its name here, in its program, or the program's number for it.

    ``.py`` and ``.yaml`` at the end are passed over.

    Raises:
        ValueError: if there is none; names the nearest.
    """
    wanted = name
    for ending in CONFIG_ENDINGS:
        wanted = wanted.removesuffix(ending)
    model = _by_any_name().get(wanted)
    if model is None:
        raise ValueError(
            f"no model in the zoo is called {name!r}{_nearest_text(wanted)}; all names: "
            "mmdet-lite zoo"
        )
    return model


def is_model_name(text: str) -> bool:
    """Whether ``text`` is a name of the zoo and no existing file."""
    return text in _by_any_name() and not Path(text).is_file()


def may_be_model_name(text: str) -> bool:
    """Whether ``text`` looks like a name, right or misspelt: no file, and not called like one."""
    path = Path(text)
    return (
        "://" not in text
        and path.suffix.lower() not in FILE_ENDINGS
        and not path.is_absolute()
        and not text.startswith((".", "~"))
        and not path.exists()
    )


def nearest_models(name: str, count: int = 3) -> list[str]:
    """Names of the zoo that resemble ``name``, the nearest first; maybe none."""
    folded = {_folded(known): model.name for known, model in _by_any_name().items()}
    found = difflib.get_close_matches(_folded(name), folded, n=4 * count, cutoff=0.6)
    return list(dict.fromkeys(folded[match] for match in found))[:count]


def model_config(model: ZooModel) -> Path:
    """The config file of a model.

    Raises:
        ValueError: if no config here builds that model.
        FileNotFoundError: if the folder ``configs`` or that file is not there.
    """
    if model.config is None:
        raise ValueError(
            f"{model.name} is known by its weights alone ({model.source}), no config here builds "
            f"it: give one, init_detector(CONFIG, {model.name!r})"
        )
    path = config_folder() / model.config
    if not path.is_file():
        raise FileNotFoundError(
            f"the config of {model.name} is not here: {path}; {path.parent / 'README.md'} says "
            "what it is built from. Give a config of your own with the weights: "
            f"init_detector(CONFIG, {model.name!r})"
        )
    return path


def config_by_name(config: str) -> str:
    """``config`` itself, or the config file of the model of the zoo that it names.

    Raises:
        ValueError: if it is neither a file nor a name; names the nearest models.
        FileNotFoundError: see ``model_config``.
    """
    return str(model_config(find_model(config))) if may_be_model_name(config) else config


def config_folder() -> Path:
    """The folder ``configs``: of the source tree, or where an installation put it.

    Raises:
        FileNotFoundError: if it is in neither place.
    """
    places = [
        Path(__file__).resolve().parents[2] / "configs",
        Path(sys.prefix) / INSTALLED,
        Path(site.getuserbase()) / INSTALLED,
    ]
    for place in places:
        if (place / "_base_").is_dir():
            return place
    looked = ", ".join(str(place) for place in places)
    raise FileNotFoundError(f"the folder with the configs is not there; looked at {looked}")


def _model(row: Mapping[str, object]) -> ZooModel:
    known = {key: row.get(key) for key in ("sha256", "md5", "size", "megabytes")}
    return ZooModel(
        name=str(row["name"]),
        source=str(row["source"]),
        url=str(row["url"]),
        config=row["config"],  # type: ignore[arg-type]
        fingerprint=Fingerprint(**known),  # type: ignore[arg-type]
        ap=row.get("ap") or {},  # type: ignore[arg-type]
        aliases=tuple(row.get("aliases") or ()),  # type: ignore[arg-type]
    )


@lru_cache(maxsize=1)
def _by_any_name() -> dict[str, ZooModel]:
    models = zoo_models()
    return models | {alias: model for model in models.values() for alias in model.aliases}


def _folded(name: str) -> str:
    """The name as MMDetection 2 and 3 both spell it: 2 wrote ``mask_rcnn_r50_caffe_mstrain``."""
    return name.lower().replace("_", "-").replace("mstrain", "ms")


def _nearest_text(name: str) -> str:
    nearest = nearest_models(name)
    return f"; the nearest are {', '.join(nearest)}" if nearest else ""
