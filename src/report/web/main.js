// The page: reads its data, builds its sections from top to bottom, and then draws.
import { drawAll, watchWidth } from "./charts.js";
import { makeComparison } from "./comparison.js";
import { makeCongestion } from "./congestion.js";
import { h, section } from "./dom.js";
import { makeKernels } from "./kernels.js";
import { makeModel } from "./model.js";
import { makePairs } from "./pairs.js";
import { makePlacement } from "./placement.js";
import { makeStragglers } from "./stragglers.js";
import { makeHeader, makeProvenance } from "./summary.js";
import { makeSweep } from "./sweep.js";
import { onTheme, setPrinting, startTheme, themeName, toggleTheme } from "./theme.js";
import { makeWarnings } from "./warnings.js";

const PRINTED_ROWS_MAX = 100; // longer tables stay folded on paper

function makeGuide() {
  const items = [
    [
      "Time",
      "the median over the counted iterations of one launch, from the first rank's entry to the last rank's exit, on a common clock. Never a mean over ranks: it would hide the rank that everybody waits for.",
    ],
    [
      "Bars",
      "the 95% interval of that median, by order statistics. It speaks of this launch only: another launch has other neighbours and other paths, so placements are compared by sets of launches.",
    ],
    [
      "busbw",
      "GB/s (10⁹ bytes) that the busiest link must carry: size / time, times a factor of the collective such as 2(n−1)/n for an allreduce. It can be held against the line rate.",
    ],
    [
      "Modes",
      "isolated: one operation at a time, all ranks starting together. streaming: back to back, the total time divided by the operations. They are two different figures.",
    ],
    ["Ratio", "time of the candidate over time of the baseline: below 1 the candidate is faster."],
    [
      "Lines",
      "colour and mark tell what ran, dashes and hollow marks tell the set (placement, labels, or baseline and candidate).",
    ],
  ];
  return section(
    "guide",
    "How to read this",
    null,
    h(
      "dl",
      null,
      items.map(([term, text]) => [h("dt", null, term), h("dd", null, text)]),
    ),
  );
}

function themeButton() {
  const button = h("button", { type: "button", class: "theme", onclick: toggleTheme });
  const name = () => {
    button.textContent = themeName() === "dark" ? "Light" : "Dark";
    button.setAttribute("aria-label", `Switch to ${button.textContent.toLowerCase()} colours`);
  };
  onTheme(name);
  name();
  return button;
}

const SHORT_NAMES = {
  warnings: "Warnings",
  comparison: "Comparison",
  sweep: "Bandwidth",
  samples: "Samples",
  pairs: "Pairs",
  congestion: "Background",
  stragglers: "Stragglers",
  kernels: "Kernels",
  placement: "Placement",
  guide: "How to read",
  provenance: "Provenance",
};

function contents(sections) {
  const links = sections.map((one) => h("li", null, h("a", { href: `#${one.id}` }, SHORT_NAMES[one.id])));
  return h("nav", { "aria-label": "Contents" }, h("ul", null, links));
}

// Paper shows everything, in light colours and at its own width.
function printAll(page) {
  const opened = [];
  window.addEventListener("beforeprint", () => {
    document.documentElement.classList.add("printing");
    for (const details of page.querySelectorAll("details:not([open])")) {
      if (details.rowCount > PRINTED_ROWS_MAX) continue;
      details.make?.();
      details.open = true;
      opened.push(details);
    }
    setPrinting(true);
  });
  window.addEventListener("afterprint", () => {
    document.documentElement.classList.remove("printing");
    for (const details of opened.splice(0)) details.open = false;
    setPrinting(false);
  });
}

function start() {
  const page = document.getElementById("page");
  const model = makeModel(JSON.parse(document.getElementById("data").textContent));
  const parts = [
    makeComparison(model),
    makeSweep(model),
    makePairs(model),
    makeCongestion(model),
    makeStragglers(model),
    makeKernels(model),
  ];
  const sections = [
    makeWarnings(model),
    ...parts.flatMap((part) => part.sections),
    makePlacement(model),
    makeGuide(),
    makeProvenance(model),
  ];
  page.replaceChildren(makeHeader(model, themeButton()), contents(sections), ...sections);
  startTheme();
  onTheme(drawAll);
  for (const part of parts) part.start();
  watchWidth();
  printAll(page);
  document.documentElement.dataset.ready = "yes";
}

start();
