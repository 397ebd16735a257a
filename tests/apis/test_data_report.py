"""report.html: all in one file, names as they are, pictures that a browser shows."""

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmdet_lite.apis import data_report
from mmdet_lite.apis.data_report import write_html_report
from mmdet_lite.datasets.check import DataReport, Finding, FunnelStep, Histogram, SetStatistics

EVIL = "<script>alert('x')</script> \"quoted\" & $a_b$"
PROBE = """<script>
const faults = [];
addEventListener('error', e => faults.push(e.message || e.target.src), true);
addEventListener('load', () => {
  const widths = [...document.images].map(one => one.naturalWidth);
  const page = document.documentElement;
  document.body.insertAdjacentHTML('beforeend', '<output id=probe>' + JSON.stringify({
    faults: faults, unloaded: widths.filter(w => w < 10).length, pictures: widths.length,
    sideways: page.scrollWidth - page.clientWidth}) + '</output>');
});
</script>"""
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def statistics(name: str, scale: int = 1) -> SetStatistics:
    counts = {"cat": 40 * scale, EVIL: 3 * scale, "zebra": 0}
    log = Histogram("box side (root of area)", "pixels", (1, 10, 100), (10, 33), log=True)
    return SetStatistics(
        name=name,
        ann_file=f"data/{name}.json",
        image_root="data/img",
        num_images=20 * scale,
        num_empty_images=2,
        num_annotations=44 * scale,
        num_crowds=scale,
        instances_per_class=counts,
        images_per_class={"cat": 12, EVIL: 2, "zebra": 0},
        sizes={"small": 10, "medium": 20, "large": 13},
        sizes_per_class={key: {"small": 1, "medium": 2, "large": 3} for key in counts},
        image_sizes=((640, 480, 15), (480, 640, 5)),
        histograms={
            "box_side": log,
            "box_share": Histogram("box area", "%", (0.1, 1, 100), (9, 4), log=True),
            "aspect": Histogram("width / height", "", (0.25, 1, 4), (5, 9), log=True),
            "instances_per_image": Histogram("instances in an image", "", (-0.5, 0.5, 1.5), (2, 9)),
        },
    )


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> DataReport:
    """Two sets, findings of three severities; one picture is broken, one has an evil name."""
    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    names = ["a&b'<i>.jpg", *(f"{n}.jpg" for n in range(9))]
    for name in names:
        picture = np.full((240, 320, 3), rng.integers(60, 200, 3), np.uint8)
        cv2.circle(picture, (160, 120), 60, (30, 60, 200), -1)
        cv2.imwrite(str(folder / name), picture)
    (folder / "broken.jpg").write_bytes(b"no picture")
    outside = [
        Finding(
            "box-outside",
            "error",
            f"annotation {n}: its box lies outside of the image, {EVIL}",
            "train",
            str(folder / name),
            n,
            ((330.0, 100, 380, 150),),
        )
        for n, name in enumerate(names)
    ]
    rest = Finding("box-outside", "error", "and 4,990 more boxes", "train", count=4990)
    broken = Finding("image-broken", "error", "cut off", "val", str(folder / "broken.jpg"))
    small = Finding(
        "box-tiny", "warning", "tiny", "val", str(folder / "0.jpg"), 5, ((10, 10, 11, 10.5),)
    )
    new = Finding("category-order", "note", "numbered differently", "train / val")
    funnel = (FunnelStep("images", "in the file", 0, 20), FunnelStep("images", "empty", 2, 18))
    return DataReport(
        subject=f"configs/{EVIL}.py",
        sets=(statistics("train", 10), statistics("val")),
        findings=(*outside, rest, broken, small, new),
        funnels={"train": funnel},
    )


@pytest.fixture(scope="module")
def written(report: DataReport, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("report") / "out" / "report.html"
    write_html_report(report, target)
    return target


class Reader(HTMLParser):
    """Collects text, sources, links and whether tags match."""

    VOID = frozenset({"meta", "img", "br"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.words: list[str] = []
        self.sources: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.tags.append(tag)
        self.sources += [named["src"] or ""] if "src" in named else []
        self.links += [named["href"] or ""] if "href" in named else []
        self.ids += [named["id"] or ""] if "id" in named else []
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


def test_the_page_is_well_formed_and_needs_nothing_else(written: Path) -> None:
    page = Reader(written.read_text(encoding="utf-8"))
    assert page.open == []
    assert all(source.startswith("data:image/") for source in page.sources) and page.sources
    assert all(link[1:] in page.ids for link in page.links)
    assert not {"script", "link", "iframe"} & set(page.tags)


def test_names_are_shown_as_they_are(written: Path) -> None:
    raw = written.read_text(encoding="utf-8")
    assert "<script" not in raw and "<i>" not in raw
    text = Reader(raw).text
    assert text.count(EVIL) > 3 and "a&b'<i>.jpg" in text


def test_the_first_lines_say_what_is_wrong(written: Path) -> None:
    text = Reader(written.read_text(encoding="utf-8")).text
    start = text.index("Data report: configs/")
    summary = text[start : text.index("Findings")]
    assert "5,001 errors: mend them before training" in summary
    assert "box-outside : wholly outside of its image (5,000 places)" in summary
    assert "5001 errors" not in summary and "1 warnings" not in summary


def test_each_kind_has_its_meaning_places_messages_and_pictures(written: Path) -> None:
    raw = written.read_text(encoding="utf-8")
    group = raw[raw.index('id="box-outside"') : raw.index('id="image-broken"')]
    assert group.count("<img") == data_report.PICTURES_OF_A_KIND
    assert group.count("<li>") == 11 and "and 4,990 more boxes" in group
    assert "leaves the annotation out" in group
    broken = raw[raw.index('id="image-broken"') : raw.index('id="box-tiny"')]
    assert "<img" not in broken and "cut off" in broken


def test_numbers_of_sets_classes_and_funnel_are_there(written: Path) -> None:
    text = Reader(written.read_text(encoding="utf-8")).text
    for expected in (
        "images 200 20",
        "crowds among them 10 1",
        "classes without instances 1 1",
        "640 x 480 (15)",
        "3 classes, one by one",
        "zebra 0 0 1 2 3 0 0 1 2 3",
        "empty images -2 18",
    ):
        assert expected in text, expected


def test_the_number_of_pictures_is_limited(
    report: DataReport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_report, "MOST_PICTURES", 3)
    write_html_report(report, tmp_path / "small.html")
    assert (tmp_path / "small.html").read_text().count("data:image/jpeg") == 3


@pytest.mark.parametrize(
    ("findings", "verdict"),
    [
        ((), "Nothing wrong was found"),
        ((Finding("area-missing", "note", "no area", "train"),), "Nothing wrong was found"),
        ((Finding("box-tiny", "warning", "tiny", "t"),), "1 warning: look at them first"),
    ],
)
def test_an_empty_report_is_a_page_too(
    findings: tuple[Finding, ...], verdict: str, tmp_path: Path
) -> None:
    write_html_report(DataReport("nothing", findings=findings), tmp_path / "r.html")
    page = Reader((tmp_path / "r.html").read_text(encoding="utf-8"))
    assert verdict in page.text and page.open == []


def browser() -> str:
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"no browser on the PATH (looked for {', '.join(BROWSERS)})")
    return found


def browse(page: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Open a page in a browser without a window."""
    command = [browser(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    command += [f"--user-data-dir={page.parent / 'profile'}", *arguments, page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)


@pytest.mark.parametrize("width", [1200, 500])
def test_a_browser_shows_it_with_all_pictures(written: Path, width: int) -> None:
    text = written.read_text(encoding="utf-8")
    policy = re.search(r"<meta http-equiv=[^>]*>", text)
    assert policy
    probed = written.with_name("probed.html")  # the page itself allows no script
    probed.write_text(text.replace(policy[0], PROBE), encoding="utf-8")
    dom = browse(probed, f"--window-size={width},900", "--dump-dom").stdout
    found = re.search(r'<output id="probe">(.*?)</output>', dom)
    assert found, dom[-500:]
    expected = f'{{"faults":[],"unloaded":0,"pictures":{text.count("<img ")},"sideways":0}}'
    assert found[1] == expected


def test_a_browser_finds_nothing_to_refuse_and_paints_the_verdict(written: Path) -> None:
    shot = written.with_name("shot.png")
    done = browse(
        written, "--enable-logging=stderr", f"--screenshot={shot}", "--window-size=1200,900"
    )
    assert "CONSOLE" not in done.stderr, done.stderr
    pixels = cv2.imread(str(shot)).astype(int)
    red = (pixels[:400, :, 2] > 170) & (pixels[:400, :, 1] < 70)
    assert red.sum() > 1500  # the bar and the words of the verdict
