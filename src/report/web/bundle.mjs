// node bundle.mjs SOURCE BUILD: makes BUILD/page.html of SOURCE/page.html: one script and one style sheet, in it.
// The policy in the page names the hash of that script, so that no other one runs, and lets nothing be loaded.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [source, build] = process.argv.slice(2);
const require = createRequire(join(build, "package.json"));
const { buildSync } = require("esbuild");

function bundle(name) {
  const { outputFiles } = buildSync({
    entryPoints: [join(source, name)],
    bundle: true,
    minify: true,
    write: false,
    format: "iife",
    target: ["es2020", "chrome100", "firefox100", "safari15"],
    charset: "ascii",
    legalComments: "none",
    nodePaths: [join(build, "node_modules")],
    logLevel: "error",
  });
  return outputFiles[0].text.trim();
}

// Inside an element, "</script" would end it.
const script = bundle("main.js").replaceAll("</script", "<\\/script").replaceAll("<!--", "<\\!--");
const style = bundle("page.css");
const licence = readFileSync(join(build, "node_modules/echarts/NOTICE"), "utf8").trim();
const parts = {
  "@POLICY@": `default-src 'none'; style-src 'unsafe-inline'; img-src data: blob:; script-src 'sha256-${createHash("sha256").update(script).digest("base64")}'`,
  "@STYLE@": style,
  "@NOTICE@": `Charts: Apache ECharts, Apache License 2.0.\n${licence}`.replaceAll("--", "- -"),
  "@SCRIPT@": script,
};
let page = readFileSync(join(source, "page.html"), "utf8");
for (const [mark, text] of Object.entries(parts)) page = page.replace(mark, () => text);
writeFileSync(join(build, "page.html"), page);
