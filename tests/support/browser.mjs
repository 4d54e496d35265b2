// A headless Chromium, driven over its DevTools protocol through a pipe: no package, no port.
// https://chromedevtools.github.io/devtools-protocol/
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const ANSWER_MS = 60000;

export async function openBrowser(program) {
  const profile = mkdtempSync(join(tmpdir(), "ringside-browser-"));
  const flags = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--force-device-scale-factor=1",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
    `--user-data-dir=${profile}`,
    "about:blank",
  ];
  const child = spawn(program, flags, { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
  const [, , , input, output] = child.stdio;
  const waiting = new Map();
  const listeners = [];
  let last = 0;
  let rest = "";
  output.setEncoding("utf8");
  output.on("data", (text) => {
    const messages = (rest + text).split("\0");
    rest = messages.pop();
    for (const message of messages.map((one) => JSON.parse(one))) {
      if (message.id === undefined) for (const listener of listeners) listener(message);
      else if (message.error) waiting.get(message.id).reject(new Error(message.error.message));
      else waiting.get(message.id).resolve(message.result);
    }
  });
  child.on("exit", () => {
    for (const { reject } of waiting.values()) reject(new Error("the browser ended"));
  });

  function send(method, params = {}, sessionId = undefined) {
    last += 1;
    const id = last;
    input.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer to ${method}`)), ANSWER_MS);
      const settle = (done) => (value) => {
        clearTimeout(timer);
        waiting.delete(id);
        done(value);
      };
      waiting.set(id, { resolve: settle(resolve), reject: settle(reject) });
    });
  }

  async function close() {
    const ended = new Promise((resolve) => child.on("exit", resolve));
    input.end();
    setTimeout(() => child.kill("SIGKILL"), 2000).unref();
    await ended;
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }

  // A page of its own: what it complains of is in `complaints`, what it asks the network for in `requests`.
  async function openPage(file, { width = 1280, height = 900, dark = false } = {}) {
    const { targetId } = await send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await send("Target.attachToTarget", { targetId, flatten: true });
    const call = (method, params) => send(method, params, sessionId);
    const complaints = [];
    const requests = [];
    const url = pathToFileURL(file).href;
    let loaded;
    const load = new Promise((resolve) => (loaded = resolve));
    listeners.push(({ sessionId: of, method, params }) => {
      if (of !== sessionId) return;
      if (method === "Runtime.exceptionThrown")
        complaints.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text);
      if (method === "Runtime.consoleAPICalled")
        complaints.push(`console.${params.type}: ${params.args.map((arg) => arg.value ?? arg.description).join(" ")}`);
      if (method === "Log.entryAdded") complaints.push(`${params.entry.level}: ${params.entry.text}`);
      if (
        method === "Network.requestWillBeSent" &&
        params.request.url !== url &&
        !/^(data|blob):/.test(params.request.url)
      )
        requests.push(params.request.url);
      if (method === "Page.loadEventFired") loaded();
    });
    for (const domain of ["Runtime", "Log", "Network", "Page"]) await call(`${domain}.enable`);
    const size = async (wide, high) =>
      call("Emulation.setDeviceMetricsOverride", { width: wide, height: high, deviceScaleFactor: 1, mobile: false });
    const theme = async (isDark) =>
      call("Emulation.setEmulatedMedia", {
        features: [{ name: "prefers-color-scheme", value: isDark ? "dark" : "light" }],
      });
    await size(width, height);
    await theme(dark);
    const began = performance.now();
    await call("Page.navigate", { url });
    await load;

    const evaluate = async (expression) => {
      const { result, exceptionDetails } = await call("Runtime.evaluate", {
        expression,
        returnByValue: true,
        awaitPromise: true,
      });
      if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
      return result.value;
    };
    const settle = () =>
      evaluate(
        "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 150))))",
      );
    await evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
    const openMs = performance.now() - began;
    return {
      complaints,
      requests,
      openMs,
      evaluate,
      settle,
      size,
      theme,
      key: async (key, code = key) => {
        for (const type of ["keyDown", "keyUp"])
          await call("Input.dispatchKeyEvent", {
            type,
            key,
            code,
            windowsVirtualKeyCode: { Tab: 9, Enter: 13, " ": 32 }[key] ?? 0,
            text: type === "keyDown" && key === " " ? " " : key === "Enter" ? "\r" : undefined,
          });
      },
      // The whole page, or what lies between the first and the last of the elements that the selectors name.
      picture: async (path, ...selectors) => {
        const clip = await evaluate(`(() => {
          const boxes = ${JSON.stringify(selectors)}.map((one) => document.querySelector(one)?.getBoundingClientRect()).filter(Boolean);
          const whole = { x: 0, y: 0, width: document.documentElement.clientWidth, height: document.documentElement.scrollHeight };
          if (boxes.length === 0) return whole;
          const top = Math.min(...boxes.map((box) => box.top)) + scrollY - 16;
          const bottom = Math.max(...boxes.map((box) => box.bottom)) + scrollY + 16;
          return { ...whole, y: top, height: bottom - top };
        })()`);
        const { data } = await call("Page.captureScreenshot", {
          format: "png",
          captureBeyondViewport: true,
          clip: { ...clip, scale: 1 },
        });
        writeFileSync(path, Buffer.from(data, "base64"));
      },
      print: async (path) => {
        const { data } = await call("Page.printToPDF", { preferCSSPageSize: true, printBackground: true });
        writeFileSync(path, Buffer.from(data, "base64"));
      },
    };
  }
  return { openPage, close };
}
