"""A page in the browser with what went wrong on it; screens of two sizes; the least contrast of its words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 780}
CONTRAST = """() => {
  const light = c => { const [r, g, b] = c.match(/[\\d.]+/g).map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b };
  const ground = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (!/rgba\\(.*, 0\\)|transparent/.test(c) && !/color-mix|oklab|color\\(/.test(c)) return c } return "rgb(255,255,255)" };
  let worst = [99, ""];
  for (const e of document.querySelectorAll("p,td,th,h1,h2,h3,li,summary,.status,.small,.soft")) {
    if (!e.innerText || !e.checkVisibility()) continue;
    const [a, b] = [light(getComputedStyle(e).color), light(ground(e))].sort((x, y) => y - x);
    const ratio = (a + .05) / (b + .05);
    if (ratio < worst[0]) worst = [ratio, e.className + ": " + e.innerText.slice(0, 40)];
  }
  return worst;
}"""


class Opened:
    """A page in the browser with what went wrong on it."""

    def __init__(self, browser: Any, path: Path, size: dict[str, int], dark: bool = False) -> None:
        self.context = browser.new_context(viewport=size, color_scheme="dark" if dark else "light", offline=True)
        self.page = self.context.new_page()
        self.wrong: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda m: self.wrong.append(m.text) if m.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda e: self.wrong.append(str(e)))
        self.page.on("dialog", lambda d: (self.wrong.append(d.message), d.dismiss()))
        self.page.on("request", lambda r: self.asked.append(r.url))
        self.page.goto(path.as_uri())

    def drawn(self) -> None:
        """Wait until every figure that is not folded away has its picture."""
        js = "() => [...document.querySelectorAll('[data-chart]')].filter(c => !c.closest('details:not([open])')).every(c => c.querySelector('svg .mark-group, svg .mark-symbol path, svg .mark-rect path'))"
        self.page.wait_for_function(js, timeout=20_000)

    def count(self, selector: str) -> int:
        """How many elements there are."""
        return int(self.page.locator(selector).count())

    def overflow(self) -> int:
        """By how many pixels the page is wider than its window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - innerWidth"))
