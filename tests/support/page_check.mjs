// The page of `ringside report` in a headless Chromium: node page_check.mjs CHROMIUM DIRECTORY, where DIRECTORY holds
// run.html, compared.html, many.html and hostile.html. Prints what it finds wrong; exit code 1 when there is anything.
import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { openBrowser } from "./browser.mjs";

const [program, directory] = process.argv.slice(2);
const MANY_MS = 10000; // the page promises 2 s on an idle machine; tests share theirs
const browser = await openBrowser(program);
let failures = 0;

async function check(what, test) {
  try {
    await test();
    console.log(`ok      ${what}`);
  } catch (error) {
    failures += 1;
    console.log(`FAILED  ${what}: ${error.message}`);
  }
}

const open = (name, options) => browser.openPage(join(directory, `${name}.html`), options);

function quiet(page) {
  assert.deepEqual(page.complaints, [], "the console should stay empty");
  assert.deepEqual(page.requests, [], "nothing should be asked of a network");
}

// The titles of figures that show nothing.
const blank = `[...document.querySelectorAll("figure")].filter((figure) => {
  if (figure.hidden || figure.querySelector(".surface").dataset.drawn !== "yes") return true;
  const canvas = figure.querySelector("canvas");
  if (!canvas) return figure.querySelectorAll("svg path").length < 4;
  const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
  copy.drawImage(canvas, 0, 0);
  const pixels = new Uint32Array(copy.getImageData(0, 0, canvas.width, canvas.height).data.buffer);
  return new Set(pixels).size < 8;
}).map((figure) => figure.querySelector("figcaption").textContent)`;

const choose = (id, label, index) => `(() => {
  const choice = [...document.querySelectorAll("#${id} .choice")].find((one) => one.textContent.startsWith("${label}"));
  const box = choice.querySelector("select");
  box.selectedIndex = ${index};
  box.dispatchEvent(new Event("change"));
  return box.options.length;
})()`;

await check("a real run: every chart is drawn, in silence", async () => {
  const page = await open("run");
  await page.settle();
  quiet(page);
  assert.equal(await page.evaluate("document.documentElement.dataset.ready"), "yes");
  assert.deepEqual(await page.evaluate(blank), []);
  const sections = await page.evaluate('[...document.querySelectorAll("section")].map((one) => one.id)');
  for (const id of ["warnings", "sweep", "samples", "pairs", "stragglers", "placement", "guide", "provenance"])
    assert.ok(sections.includes(id), `no section ${id} among ${sections}`);
});

await check("two sets compared: every chart is drawn, in silence", async () => {
  const page = await open("compared");
  await page.settle();
  quiet(page);
  assert.deepEqual(await page.evaluate(blank), []);
  const text = (id) => page.evaluate(`document.querySelector("#${id}")?.textContent`);
  for (const id of ["comparison", "kernels"]) assert.ok(await text(id), `no section ${id}`);
  assert.match(await text("congestion"), /Slowdown of ring\/tcp, baseline/);
  const comparison = await page.evaluate('document.querySelector("#comparison").textContent');
  for (const words of [/kernel/, /cpu\.governor/, /Verdicts/, /undecided/, /launches/]) assert.match(comparison, words);
  assert.match(await page.evaluate('document.querySelector("#placement").textContent'), /us-east-2b.*node-3/s);
  assert.match(
    await page.evaluate('document.querySelector("#pairs").textContent'),
    /rank 9 \(node-2\)/,
    "the slow rank is not among the slowest pairs",
  );
});

await check("choices and legend filter the charts", async () => {
  const page = await open("compared");
  const title = 'document.querySelector("#sweep figcaption").textContent';
  const before = await page.evaluate(title);
  assert.ok((await page.evaluate(choose("sweep", "Collective", 1))) > 1, "one collective only");
  assert.notEqual(await page.evaluate(title), before);
  assert.deepEqual(await page.evaluate(blank), []);
  await page.evaluate(choose("sweep", "Collective", 0));
  assert.equal(await page.evaluate(title), before);
  const marks = 'document.querySelectorAll("#sweep figure svg path").length';
  const all = await page.evaluate(marks);
  await page.evaluate('document.querySelector("#sweep .legend button").click()');
  assert.equal(
    await page.evaluate('document.querySelector("#sweep .legend button").getAttribute("aria-pressed")'),
    "false",
  );
  assert.ok((await page.evaluate(marks)) < all, "hiding a line changes nothing");
  await page.evaluate('document.querySelector("#sweep .legend .all").click()');
  assert.equal(await page.evaluate(marks), all);
  const sample = 'document.querySelector("#samples figcaption").textContent';
  const size = await page.evaluate(sample);
  await page.evaluate(choose("samples", "Size", 2));
  assert.notEqual(await page.evaluate(sample), size);
  await page.evaluate(choose("pairs", "Matrix", 1));
  assert.deepEqual(await page.evaluate(blank), []);
  quiet(page);
});

await check("the keyboard reaches the controls, and focus shows", async () => {
  const page = await open("run");
  const active = (what) => page.evaluate(`document.activeElement.${what}`);
  for (let i = 0; i < 80 && !(await active('matches("#sweep .legend button")')); i += 1) await page.key("Tab");
  assert.ok(await active('matches("#sweep .legend button")'), "no legend button after 80 times Tab");
  assert.notEqual(await page.evaluate("getComputedStyle(document.activeElement).outlineStyle"), "none");
  await page.key(" ", "Space");
  assert.equal(await active('getAttribute("aria-pressed")'), "false");
  const unnamed =
    await page.evaluate(`[...document.querySelectorAll("button, select, .surface, nav, section")].filter((one) =>
    !one.getAttribute("aria-label") && !one.getAttribute("aria-labelledby") && !one.textContent.trim() && !one.labels?.length).map((one) => one.outerHTML.slice(0, 80))`);
  assert.deepEqual(unnamed, []);
});

await check("each chart has a table with all its figures", async () => {
  const page = await open("run");
  await page.evaluate('document.querySelectorAll("details.figures").forEach((one) => { one.open = true; })');
  await page.settle();
  const rows = await page.evaluate('document.querySelectorAll("#sweep details tbody tr").length');
  const cases = await page.evaluate('JSON.parse(document.getElementById("data").textContent).files[0].cases.length');
  assert.equal(rows, cases);
});

await check("100,000 samples", async () => {
  const page = await open("many");
  await page.settle();
  console.log(
    `        opened and drawn in ${Math.round(page.openMs)} ms (${statSync(join(directory, "many.html")).size} bytes)`,
  );
  assert.ok(page.openMs < MANY_MS, `${page.openMs} ms`);
  assert.match(await page.evaluate('document.querySelector("#samples").textContent'), /of 100,000 dots/);
  assert.deepEqual(await page.evaluate(blank), []);
  quiet(page);
});

await check("text of a result stays text", async () => {
  const page = await open("hostile");
  await page.settle();
  quiet(page);
  assert.doesNotMatch(await page.evaluate("document.title"), /^broken/);
  assert.equal(await page.evaluate('document.querySelectorAll("img, main script, b, i").length'), 0);
  assert.match(await page.evaluate('document.querySelector("header").textContent'), /<img src=x onerror/);
  const warnings = await page.evaluate('document.querySelector("#warnings").textContent');
  for (const words of [/FAILED verification/, /did not finish/, /not ended normally/]) assert.match(warnings, words);
});

await check("a phone: nothing is wider than the screen", async () => {
  for (const name of ["run", "compared", "hostile"]) {
    const page = await open(name, { width: 375, height: 800 });
    await page.settle();
    assert.ok((await page.evaluate("document.documentElement.scrollWidth")) <= 375, name);
    assert.deepEqual(
      await page.evaluate(
        '[...document.querySelectorAll(".surface > *")].filter((one) => one.getBoundingClientRect().right > 375).length',
      ),
      0,
      name,
    );
    quiet(page);
  }
});

// The contrast of two colours, https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio
const contrast = `(() => {
  const context = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const light = (colour) => {
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...context.getImageData(0, 0, 1, 1).data].map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05);
  const variable = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  const page = getComputedStyle(document.body).backgroundColor;
  const low = [];
  for (const name of ["text", "muted", "link", "bad", "good", "caution"])
    for (const ground of ["page", "soft"]) if (ratio(variable(name), variable(ground)) < 4.5) low.push(name + " on " + ground);
  for (const path of document.querySelectorAll(".legend svg path")) if (ratio(path.getAttribute("stroke"), page) < 3) low.push("line " + path.getAttribute("stroke"));
  return { low, page: light(page) };
})()`;

await check("light and dark: by the system, by the button, with contrast", async () => {
  for (const dark of [false, true]) {
    const page = await open("compared", { dark });
    for (const asked of [dark, !dark]) {
      const { low, page: ground } = await page.evaluate(contrast);
      assert.deepEqual(low, []);
      assert.equal(ground < 0.1, asked);
      await page.evaluate('document.querySelector("button.theme").click()');
    }
    quiet(page);
  }
});

await check("paper: light, opened up, with its charts", async () => {
  const page = await open("compared", { dark: true });
  const state = await page.evaluate(`(() => {
    dispatchEvent(new Event("beforeprint"));
    const result = { blank: ${blank}, theme: document.documentElement.dataset.theme,
      shut: [...document.querySelectorAll("details:not([open])")].filter((one) => !(one.rowCount > 100)).length };
    dispatchEvent(new Event("afterprint"));
    return { ...result, after: document.documentElement.dataset.theme };
  })()`);
  assert.deepEqual(state, { blank: [], theme: "light", shut: 0, after: "dark" });
  const path = join(directory, "paper.pdf");
  await page.print(path);
  assert.match(readFileSync(path, "latin1"), /^%PDF/);
  quiet(page);
});

await browser.close();
process.exit(failures === 0 ? 0 : 1);
