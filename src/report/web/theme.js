// Light, dark, or as the system says; and the colours that charts take from it.

// Okabe & Ito, "Color Universal Design", 2008, in their order for lines; darker on white and lighter on black, so that
// every one has a contrast of 3:1 and more against the page.
const PALETTES = {
  light: ["#0072b2", "#c95700", "#00865f", "#b0558b", "#2d89bd", "#a87200", "#55606a", "#7a4fb5"],
  dark: ["#56b0ea", "#f28a45", "#2fc498", "#e59ac6", "#9bd6f7", "#f0b93f", "#c3cad1", "#b79bea"],
};
export const SYMBOLS = ["circle", "rect", "triangle", "diamond", "emptyCircle", "emptyRect", "emptyTriangle", "emptyDiamond"];
export const DASHES = ["solid", [7, 4], [2, 3], [10, 3, 2, 3], [14, 4], [4, 2, 1, 2, 1, 2]];
// Cividis (Nunez, Anderton & Renslow, PLOS ONE 2018): even for people who see no red or green.
export const SEQUENCE = ["#00224e", "#123570", "#3b496c", "#575d6d", "#707173", "#8a8678", "#a59c74", "#c3b369", "#e1cc55", "#fee838"];

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
export const lineSymbol = (line) => SYMBOLS[line.symbol % SYMBOLS.length];

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

export function setPrinting(value) {
  printing = value;
  apply();
}

export function startTheme() {
  system.addEventListener("change", apply);
  apply();
}
