// Draws the figures of a page from the scripts beside it, by Vega's interpreter, so that nothing is ever evaluated as code.
"use strict";
const all = globalThis.unseenCharts || {};
function draw(place) {
  if (place.dataset.drawn) return;
  place.dataset.drawn = "yes";
  const held = all[place.closest("[data-charts]").dataset.charts] || {};
  const spec = held[place.dataset.chart];
  const options = {ast: true, actions: false, renderer: "svg", defaultStyle: false, tooltip: {disableDefaultStyle: true, theme: "unseen"}};
  const failed = (e) => { place.textContent = "This figure could not be drawn: " + e.message; };
  if (!spec) return failed(new Error("its numbers are not there"));
  vegaEmbed(place, spec, options).catch(failed);
}
const drawAll = (places) => {
  const seen = new IntersectionObserver((found) => { for (const f of found) if (f.isIntersecting) { seen.unobserve(f.target); draw(f.target); } }, {rootMargin: "600px"});
  for (const place of places) seen.observe(place);
};
drawAll(document.querySelectorAll("[data-chart]"));
addEventListener("beforeprint", () => { for (const d of document.querySelectorAll("details")) d.open = true; document.querySelectorAll("[data-chart]").forEach(draw); });
