"""The HTML page in a real browser: nothing scrolls sideways, on a desk or in a hand, with all that is folded away opened."""

import html
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import auditor
from auditor.report import FORMATS, View
from tests.report.test_machine_formats import hostile

pytestmark = pytest.mark.server
FIXTURES = Path(__file__).parents[2] / "fixtures"
#: A network is not needed, and without these flags the browser looks for one.
QUIET = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update")


@pytest.fixture(scope="module")
def page() -> str:
    models = [auditor.inspect(FIXTURES / f"{name}.snapshot.json.gz") for name in ("deepseek-v3", "qwen3-32b-awq")]
    return FORMATS["html"](auditor.audit(models, today="2026-11-22"), View())


def overflow(page: str, width: int, folder: Path) -> int:
    """Return by how many pixels a page is wider than a frame of ``width``."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        pytest.skip("Chromium is installed by make check")
    opened = page.replace("<details>", "<details open>")
    measure = "const page = frame.contentDocument.documentElement; document.title = page.scrollWidth - page.clientWidth"
    frame = f'<iframe id="frame" style="width:{width}px;height:800px;border:0" srcdoc="{html.escape(opened)}" onload="{measure}"></iframe>'
    (folder / "frame.html").write_text(f"<!doctype html><title>nothing</title><body>{frame}</body>", encoding="utf-8", errors="replace")
    profile = f"--user-data-dir={folder / 'profile'}"
    command = [browser, *QUIET, profile, "--virtual-time-budget=5000", "--dump-dom", (folder / "frame.html").as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    found = re.search(r"<title>(-?\d+)</title>", done.stdout)
    assert found, done.stdout[:300]
    return int(found[1])


@pytest.mark.parametrize("width", [1200, 1000, 400])
def test_nothing_scrolls_sideways(page: str, width: int, tmp_path: Path) -> None:
    assert overflow(page, width, tmp_path) == 0


def test_words_of_a_stranger_do_not_widen_it(tmp_path: Path) -> None:
    assert overflow(FORMATS["html"](hostile(), View()), 400, tmp_path) == 0


def test_a_page_that_is_too_wide_is_seen(tmp_path: Path) -> None:
    assert overflow('<body style="margin:0"><div style="width:900px">wide</div></body>', 400, tmp_path) == 500
