// node make.mjs CHROMIUM PAGE.html DIRECTORY: pictures of a report, see make.
import { join } from "node:path";
import { openBrowser } from "../../tests/support/browser.mjs";

const [program, file, directory] = process.argv.slice(2);
const pictures = [
  { name: "report-light.png", dark: false, sections: ["#sweep"] },
  { name: "report-dark.png", dark: true, sections: ["#samples", "#pairs"] },
];
const browser = await openBrowser(program);
for (const { name, dark, sections } of pictures) {
  const page = await browser.openPage(file, { width: 1160, height: 900, dark });
  await page.settle();
  await page.picture(join(directory, name), ...sections);
}
await browser.close();
