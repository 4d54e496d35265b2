// Elements. Text from a result only ever becomes a text node, never markup.

const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

export function h(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

let ids = 0;

function uniqueId(prefix) {
  ids += 1;
  return `${prefix}-${ids}`;
}

// A labelled <select>. options: [[value, label]]; change gets the value.
export function select(label, options, value, change) {
  const id = uniqueId("choice");
  const box = h(
    "select",
    { id, onchange: () => change(box.value) },
    options.map(([key, text]) => h("option", { value: key, selected: String(key) === String(value) }, text)),
  );
  return h("span", { class: "choice" }, h("label", { for: id }, label), box);
}

// columns: [{name, cell: row => text or node, number}]; the body is made when it is first looked at.
export function tableDetails(title, columns, rows) {
  const body = h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": title });
  const details = h("details", { class: "figures" }, h("summary", null, title), body);
  details.rowCount = rows.length;
  details.make = () => {
    if (!body.firstChild) body.append(table(title, columns, rows));
  };
  details.addEventListener("toggle", () => details.open && details.make());
  return details;
}

export function table(title, columns, rows) {
  const heading = columns.map((column) => h("th", { scope: "col", class: column.number && "number" }, column.name));
  return h(
    "table",
    null,
    title && h("caption", { class: "unseen" }, title),
    h("thead", null, h("tr", null, heading)),
    h(
      "tbody",
      null,
      rows.map((row) =>
        h(
          "tr",
          { class: row.tone },
          columns.map((column, index) => {
            const cell = column.cell(row);
            const attributes = { class: column.number ? "number" : column.wide && "wide" };
            return index === 0 ? h("th", { scope: "row", ...attributes }, cell) : h("td", attributes, cell);
          }),
        ),
      ),
    ),
  );
}

export function section(id, title, lead, ...children) {
  return h(
    "section",
    { id, "aria-labelledby": `${id}-title` },
    h("h2", { id: `${id}-title` }, title),
    lead && h("p", { class: "lead" }, lead),
    children,
  );
}
