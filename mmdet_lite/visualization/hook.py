"""DetVisualizationHook: pictures of predictions during validation and testing."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmengine.visualization import Visualizer

from mmdet_lite.ops.image_file import read_rgb
from mmdet_lite.registry import HOOKS
from mmdet_lite.structures.det_data_sample import DetDataSample


@HOOKS.register_module()
class DetVisualizationHook(Hook):
    """Draws predictions beside their annotations.

    Validation: the first image of every ``interval``-th batch, to the visualizer's backends under
    ``val_img``. Testing: every image, to ``test_out_dir`` or the backends (``test_img``).

    Args:
        draw: without it the hook does nothing.
        interval: of validation batches, counted on from the training's iteration.
        score_thr: predictions below it are not drawn.
        show: also open a window for each picture.
        wait_time: seconds that the window waits; 0 waits for a key.
        test_out_dir: folder of the test's pictures, named as the images; made if it is absent. A
            relative path is relative to where the command runs.
        backend_args: mmengine's file backend through which images are read.

    Raises:
        ValueError: if interval is below 1.

    Source: arguments are MMDetection 3's, which puts test_out_dir below work_dir/timestamp.
    """

    def __init__(
        self,
        draw: bool = False,
        interval: int = 50,
        score_thr: float = 0.3,
        show: bool = False,
        wait_time: float = 0.0,
        test_out_dir: str | None = None,
        backend_args: dict[str, Any] | None = None,
    ) -> None:
        if interval < 1:
            raise ValueError(f"DetVisualizationHook: interval must be at least 1, got {interval}")
        self._visualizer: Visualizer = Visualizer.get_current_instance()
        self.draw = draw
        self.interval = interval
        self.score_thr = score_thr
        self.show = show
        self.wait_time = wait_time
        self.test_out_dir = test_out_dir
        self.backend_args = backend_args
        self._test_index = 0
        self._path_of_file: dict[str, str] = {}

    def after_val_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any, outputs: Sequence[DetDataSample]
    ) -> None:
        """Draw the batch's first image if it is the batch's turn."""
        step = runner.iter + batch_idx
        if self.draw and step % self.interval == 0 and outputs:
            self._add(outputs[0], "val_img", step, None)

    def after_test_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any, outputs: Sequence[DetDataSample]
    ) -> None:
        """Draw all images of the batch."""
        for sample in outputs if self.draw else ():
            self._test_index += 1
            out_file = None
            if self.test_out_dir is not None:
                out_file = str(Path(self.test_out_dir) / self._file_name(sample))
                spare_pictures([sample.img_path], [out_file])
            self._add(sample, "test_img", self._test_index, out_file)

    def _add(self, sample: DetDataSample, name: str, step: int, out_file: str | None) -> None:
        if sample.metainfo.get("unreadable"):
            return
        self._visualizer.add_datasample(
            Path(sample.img_path).name if self.show else name,
            read_rgb(sample.img_path, sample.metainfo.get("ori_shape"), self.backend_args),
            data_sample=sample,
            show=self.show,
            wait_time=self.wait_time,
            out_file=out_file,
            pred_score_thr=self.score_thr,
            step=step,
        )

    def _file_name(self, sample: DetDataSample) -> str:
        """Name of the image; images of one name in several folders also get their folder's."""
        path = Path(sample.img_path)
        name = path.name
        if self._path_of_file.setdefault(name, str(path)) != str(path):
            name = f"{path.parent.name}_{name}"
        return name


def spare_pictures(pictures: Iterable[str | Path], out_files: Iterable[str | Path]) -> None:
    """Refuse to draw over a picture.

    Raises:
        ValueError: one of ``out_files`` is one of ``pictures``; both may be empty.
    """
    sources = {Path(picture).resolve() for picture in pictures}
    for out_file in out_files:
        if Path(out_file).resolve() in sources:
            raise ValueError(
                f"the drawing {out_file} would overwrite the picture it is made from; give"
                " another folder for the drawings"
            )
