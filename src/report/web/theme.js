// Light, dark, or as the system says; and the colours that charts take from it.

// Okabe & Ito, "Color Universal Design", 2008, in their order for lines; darker on white and lighter on black, so that
// every one has a contrast of 3:1 and more against the page.
const PALETTES = {
  light: ["#0072b2", "#c95700", "#00865f", "#b0558b", "#2d89bd", "#a87200", "#55606a", "#7a4fb5"],
  dark: ["#56b0ea", "#f28a45", "#2fc498", "#e59ac6", "#9bd6f7", "#f0b93f", "#c3cad1", "#b79bea"],
};
// A mark is a shape, filled or hollow.
const SHAPES = ["circle", "rect", "triangle", "diamond"];
export const SHAPE = Object.fromEntries(SHAPES.map((name, index) => [name, index]));
const DASHES = ["solid", [7, 4], [2, 3], [10, 3, 2, 3], [14, 4], [4, 2, 1, 2, 1, 2]];
// One hue from weak to strong, its lightness steady, so that it reads without any colour.
const RAMPS = {
  light: ["#fbe6bf", "#f9c77c", "#f09a3e", "#d4651b", "#9c3a0c", "#571a05"],
  dark: ["#3b3229", "#6d4420", "#a85d1d", "#e0852f", "#f7b765", "#fff0cf"],
};

const system = window.matchMedia("(prefers-color-scheme: dark)");
let choice = null; // "light", "dark", or null: the system's
let printing = false;
const listeners = [];

export function themeName() {
  if (printing) return "light";
  return choice ?? (system.matches ? "dark" : "light");
}

export function themeColours() {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  return {
    lines: PALETTES[themeName()],
    ramp: RAMPS[themeName()],
    text: colour("text"),
    muted: colour("muted"),
    rule: colour("rule"),
    page: colour("page"),
    raised: colour("raised"),
    bad: colour("bad"),
    good: colour("good"),
  };
}

export const lineColour = (line, colours) => colours.lines[line.colour % colours.lines.length];
export const lineDash = (line) => DASHES[line.dash % DASHES.length];

// An item has a shape (a number), and can be hollow. ECharts' own hollow marks are white inside, on a dark page too.
export const shapeOf = (item) => SHAPES[item.shape % SHAPES.length];
export function markStyle(item, colour, colours) {
  return {
    symbol: shapeOf(item),
    itemStyle: {
      color: item.hollow ? colours.page : colour,
      borderColor: colour,
      borderWidth: item.hollow ? 1.5 : 0,
    },
  };
}
export const lineMark = (line, colours) => markStyle(line, lineColour(line, colours), colours);

function apply() {
  document.documentElement.dataset.theme = themeName();
  for (const listener of listeners) listener();
}

export function onTheme(listener) {
  listeners.push(listener);
}

export function toggleTheme() {
  choice = themeName() === "dark" ? "light" : "dark";
  apply();
}

export const isPrinting = () => printing;

export function setPrinting(value) {
  printing = value;
  apply();
}

export function startTheme() {
  system.addEventListener("change", apply);
  apply();
}
