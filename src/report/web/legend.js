// The legend of the lines: buttons that show and hide a line in every chart it serves, with the mark it has there.
import { h, svg } from "./dom.js";
import { lineColour, lineDash, onTheme, shapeOf, themeColours } from "./theme.js";

const DRAWN = {
  circle: () => svg("circle", { cx: 15, cy: 7, r: 4 }),
  rect: () => svg("rect", { x: 11, y: 3, width: 8, height: 8 }),
  triangle: () => svg("path", { d: "M15 2 L19.5 11 H10.5 Z" }),
  diamond: () => svg("path", { d: "M15 2 L20 7 L15 12 L10 7 Z" }),
};

function swatch(line) {
  const colours = themeColours();
  const colour = lineColour(line, colours);
  const dash = lineDash(line);
  const shape = DRAWN[shapeOf(line)]();
  shape.setAttribute("fill", line.hollow ? colours.page : colour);
  shape.setAttribute("stroke", colour);
  shape.setAttribute("stroke-width", "1.6");
  const dashes = dash === "solid" ? null : dash.join(" ");
  const stroke = svg("path", { d: "M0 7 H30", stroke: colour, "stroke-width": 2, "stroke-dasharray": dashes });
  return svg("svg", { width: 30, height: 14, viewBox: "0 0 30 14", "aria-hidden": "true" }, stroke, shape);
}

// hidden: a Set of line keys, shared by the charts; change() is called when it changed.
export function makeLegend(hidden, change) {
  const box = h("div", { class: "legend", role: "group", "aria-label": "Lines shown: choose one to hide or show it" });
  let shown = [];
  const draw = () => {
    const again = box.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    const buttons = shown.map((line) => {
      const toggle = () => {
        if (!hidden.delete(line.key)) hidden.add(line.key);
        draw();
        change();
      };
      const visible = !hidden.has(line.key);
      return h(
        "button",
        { type: "button", "aria-pressed": String(visible), "data-key": line.key, onclick: toggle },
        swatch(line),
        h("span", null, line.name),
      );
    });
    const all = () => {
      for (const line of shown) hidden.delete(line.key);
      draw();
      change();
    };
    const some = shown.some((line) => hidden.has(line.key));
    box.replaceChildren(
      ...buttons,
      ...(some ? [h("button", { type: "button", class: "all", onclick: all }, "show all")] : []),
    );
    for (const button of buttons) if (button.dataset.key === again) button.focus();
  };
  onTheme(draw);
  return {
    box,
    set(lines) {
      shown = lines;
      draw();
    },
  };
}
