"""Pascal VOC."""

from typing import Any, ClassVar

from mmdet_lite.datasets.voc_xml import VOC_CLASSES
from mmdet_lite.datasets.xml_style import XMLDataset
from mmdet_lite.registry import DATASETS

YEARS = ("VOC2007", "VOC2012")


@DATASETS.register_module()
class VOCDataset(XMLDataset):
    """Pascal VOC's 20 classes, or others in its form.

    ``metainfo['dataset_type']`` is 'VOC2007' or 'VOC2012' where the path of the data
    (``data_prefix.sub_data_root``) says so, else None. Data sets of two years may be joined.

    Args:
        *args: of XMLDataset.
        **kwargs: likewise.

    Source: MMDetection 3 for the arguments, the colours and ``dataset_type``.
    """

    METAINFO: ClassVar[dict[str, Any]] = {
        "classes": VOC_CLASSES,
        "palette": [
            (106, 0, 228), (119, 11, 32), (165, 42, 42), (0, 0, 192), (197, 226, 255),
            (0, 60, 100), (0, 0, 142), (255, 77, 255), (153, 69, 1), (120, 166, 157),
            (0, 182, 199), (0, 226, 252), (182, 182, 255), (0, 0, 230), (220, 20, 60),
            (163, 255, 0), (0, 82, 0), (3, 95, 161), (0, 80, 100), (183, 130, 88),
        ],
    }  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        root = self.data_prefix["sub_data_root"]
        year = next((year for year in YEARS if year in root), None)
        self._metainfo["dataset_type"] = year
