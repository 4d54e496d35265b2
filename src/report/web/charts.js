// Charts: each is made once, follows its width, the theme and the printer, and has a table beside it for those who
// cannot see it.
import { BarChart, CustomChart, HeatmapChart, LineChart, ScatterChart } from "echarts/charts";
import {
  GridComponent,
  MarkAreaComponent,
  MarkLineComponent,
  TooltipComponent,
  VisualMapContinuousComponent,
} from "echarts/components";
import { init, use } from "echarts/core";
import { CanvasRenderer, SVGRenderer } from "echarts/renderers";
import { h } from "./dom.js";
import { isPrinting, themeColours } from "./theme.js";

use([
  BarChart,
  CustomChart,
  HeatmapChart,
  LineChart,
  ScatterChart,
  GridComponent,
  MarkAreaComponent,
  MarkLineComponent,
  TooltipComponent,
  VisualMapContinuousComponent,
  CanvasRenderer,
  SVGRenderer,
]);

const charts = [];
const FONT = () => getComputedStyle(document.body).fontFamily;

// A figure with a title; option(colours) gives what ECharts draws, or null for nothing. Pictures with many marks go on
// a canvas, the others are vectors. `height` can be a function of the width.
export function makeFigure({ title, label, height = 320, canvas = false, option, click }) {
  const heading = h("figcaption", null, h("strong", null, title), h("span"));
  const surface = h("div", { class: "surface", role: "img", "aria-label": label ?? title });
  const figure = h("figure", null, heading, surface);
  const chart = {
    figure,
    surface,
    canvas,
    // What it shows, and of what.
    setTitle(what, of = "") {
      heading.firstChild.textContent = what;
      heading.lastChild.textContent = of;
      surface.setAttribute("aria-label", of ? `${what}: ${of}` : what);
    },
    draw() {
      if (!figure.isConnected) return;
      const wanted = option(themeColours(), surface.clientWidth);
      figure.hidden = wanted === null;
      if (wanted === null) return;
      surface.style.height = `${typeof height === "function" ? height(surface.clientWidth) : height}px`;
      // On paper everything is a vector: Chromium leaves marks of a canvas out.
      const renderer = canvas && !isPrinting() ? "canvas" : "svg";
      if (chart.view && chart.renderer !== renderer) {
        chart.view.dispose();
        chart.view = null;
      }
      if (!chart.view) {
        chart.view = init(surface, null, { renderer });
        chart.renderer = renderer;
        if (click) chart.view.on("click", click);
      } else {
        chart.view.resize();
      }
      chart.view.setOption({ animation: false, textStyle: { fontFamily: FONT() }, ...wanted }, { notMerge: true });
      chart.view.getZr().flush(); // now, not in the next frame: a printer does not wait
      surface.dataset.drawn = "yes";
    },
  };
  charts.push(chart);
  return chart;
}

export function drawAll() {
  for (const chart of charts) chart.draw();
}

// Charts are drawn anew when their width changes: on a phone they have fewer ticks.
export function watchWidth() {
  let width = document.documentElement.clientWidth;
  let waiting = 0;
  window.addEventListener("resize", () => {
    if (document.documentElement.clientWidth === width) return;
    width = document.documentElement.clientWidth;
    clearTimeout(waiting);
    waiting = setTimeout(drawAll, 100);
  });
}

// ---- axes -----------------------------------------------------------------------------------------------------------
// Logarithmic axes are linear ones over logarithms, with ticks of our own: ECharts' have whole decades only.

const NICE = [[1], [1, 3], [1, 2, 5], [1, 1.5, 2, 3, 5, 7], [1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 9]];

function decadeTicks(low, high, steps) {
  const ticks = [];
  for (let decade = Math.floor(low); decade <= Math.ceil(high); decade += 1)
    for (const step of steps) {
      const tick = decade + Math.log10(step);
      if (tick >= low - 1e-9 && tick <= high + 1e-9) ticks.push(tick);
    }
  return ticks;
}

// Multiples of a round step, for ranges that are too narrow for round numbers on a logarithmic scale.
function narrowTicks(low, high, wanted) {
  const [from, to] = [10 ** low, 10 ** high];
  const rough = (to - from) / Math.min(wanted, 5);
  const decade = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * decade).find((size) => size >= rough);
  const ticks = [];
  for (let k = Math.ceil(from / step); k * step <= to; k += 1) ticks.push(Math.log10(k * step));
  return ticks;
}

// Of values > 0. About `wanted` ticks: the densest nice set that has no more.
function logTicks(low, high, wanted) {
  let best = decadeTicks(low, high, NICE[0]);
  for (let skip = 2; best.length > wanted; skip += 1) best = best.filter((tick) => Math.round(tick) % skip === 0);
  for (const steps of NICE) {
    const ticks = decadeTicks(low, high, steps);
    if (ticks.length <= wanted && ticks.length > best.length) best = ticks;
  }
  return best.length >= 3 ? best : narrowTicks(low, high, wanted);
}

function axisStyle(colours, ticks, format) {
  return {
    type: "value",
    axisLine: { show: true, onZero: false, lineStyle: { color: colours.muted } },
    axisTick: { show: true, customValues: ticks, lineStyle: { color: colours.muted } },
    axisLabel: { customValues: ticks, formatter: format, color: colours.muted, fontSize: 11, hideOverlap: true },
    splitLine: { show: true, customValues: ticks, lineStyle: { color: colours.rule } },
    minorTick: { show: false },
  };
}

function nameStyle(name, colours, gap) {
  return { name, nameLocation: "middle", nameGap: gap, nameTextStyle: { color: colours.muted, fontSize: 11 } };
}

export function logAxis(low, high, name, format, colours, { wanted = 7, gap = 56 } = {}) {
  let [from, to] = [Math.log10(low), Math.log10(high)];
  const pad = Math.max((to - from) * 0.05, 0.02);
  [from, to] = [from - pad, to + pad];
  const ticks = logTicks(from, to, wanted);
  return {
    ...axisStyle(colours, ticks, (value) => format(10 ** value)),
    ...nameStyle(name, colours, gap),
    min: from,
    max: to,
  };
}

// Powers of two, as many as fit.
export function sizeAxis(sizes, name, format, colours, width) {
  const logs = sizes.map((size) => Math.log2(Math.max(size, 1)));
  const [low, high] = [Math.min(...logs), Math.max(...logs)];
  const pad = Math.max((high - low) * 0.04, 0.25);
  const step = Math.max(1, Math.ceil((high - low) / Math.max(2, Math.floor(width / 64))));
  const ticks = [];
  for (let tick = Math.ceil(low); tick <= high + 1e-9; tick += step) ticks.push(tick);
  return {
    ...axisStyle(colours, ticks, (value) => format(2 ** value)),
    ...nameStyle(name, colours, 28),
    min: low - pad,
    max: high + pad,
  };
}

export function linearAxis(name, colours, format, more = {}) {
  return {
    type: "value",
    axisLine: { show: true, onZero: false, lineStyle: { color: colours.muted } },
    axisTick: { show: true, lineStyle: { color: colours.muted } },
    axisLabel: { color: colours.muted, fontSize: 11, formatter: format, hideOverlap: true },
    splitLine: { lineStyle: { color: colours.rule } },
    ...nameStyle(name, colours, more.gap ?? 28),
    ...more,
  };
}

export function categoryAxis(names, name, colours, more = {}) {
  return {
    type: "category",
    data: names,
    axisLine: { lineStyle: { color: colours.muted } },
    axisTick: { lineStyle: { color: colours.muted }, alignWithLabel: true },
    axisLabel: { color: colours.muted, fontSize: 11, hideOverlap: true },
    ...nameStyle(name, colours, more.gap ?? 28),
    ...more,
  };
}

export function grid(more = {}) {
  return { left: 66, right: 14, top: 12, bottom: 44, ...more };
}

// A tooltip of lines of text; the first is its heading. Text stays text.
export function tooltip(colours, linesOf, more = {}) {
  return {
    trigger: "item",
    confine: true,
    backgroundColor: colours.raised,
    borderColor: colours.muted,
    textStyle: { color: colours.text, fontSize: 12 },
    formatter: (item) => {
      const [heading, ...lines] = linesOf(item) ?? [];
      return heading === undefined
        ? ""
        : h(
            "div",
            { class: "tip" },
            h("strong", null, heading),
            lines.map((line) => h("div", null, line)),
          );
    },
    ...more,
  };
}

// Bars from low to high with caps, at points [x, low, high] in the units of the axes.
export function intervalSeries(name, points, colour) {
  return {
    type: "custom",
    name,
    data: points,
    silent: true,
    z: 1,
    encode: { x: 0, y: [1, 2] },
    renderItem: (_, api) => {
      const [x, low] = api.coord([api.value(0), api.value(1)]);
      const high = api.coord([api.value(0), api.value(2)])[1];
      const style = { stroke: colour, lineWidth: 1.3, fill: "none" };
      const stroke = (x1, y1, x2, y2) => ({ type: "line", shape: { x1, y1, x2, y2 }, style });
      return {
        type: "group",
        children: [stroke(x, low, x, high), stroke(x - 4, low, x + 4, low), stroke(x - 4, high, x + 4, high)],
      };
    },
  };
}
