// Numbers as people read them. GB is 10^9 bytes, KiB is 1024.

const UNKNOWN = "–";

export const isNumber = (value) => typeof value === "number" && Number.isFinite(value);

function digits(value, significant = 3) {
  if (value === 0) return "0";
  const whole = Math.floor(Math.log10(Math.abs(value))) + 1;
  return value.toFixed(Math.max(0, Math.min(9, significant - whole)));
}

// 8 B, 64 KiB, 1.5 MiB; exact sizes stay exact.
export function formatSize(bytes) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit + 1 < units.length) {
    value /= 1024;
    unit += 1;
  }
  return `${Number.isInteger(value) ? value : digits(value, 4)} ${units[unit]}`;
}

export function formatTime(ns) {
  if (!isNumber(ns)) return UNKNOWN;
  const size = Math.abs(ns);
  if (size < 999.5) return `${digits(ns)} ns`;
  if (size < 999.5e3) return `${digits(ns / 1e3)} µs`;
  if (size < 999.5e6) return `${digits(ns / 1e6)} ms`;
  return `${digits(ns / 1e9)} s`;
}

// An axis has round numbers: "10 µs", "0.5 s".
export function formatTimeTick(ns) {
  const [unit, name] = ns < 1e3 ? [1, "ns"] : ns < 1e6 ? [1e3, "µs"] : ns < 1e9 ? [1e6, "ms"] : [1e9, "s"];
  return `${Number((ns / unit).toPrecision(6))} ${name}`;
}

export const formatTick = (value) => String(Number(value.toPrecision(6)));
export const formatBandwidth = (gb) => (isNumber(gb) ? digits(gb) : UNKNOWN);
export const formatRatio = (ratio) => (isNumber(ratio) ? ratio.toFixed(ratio < 10 ? 3 : 1) : UNKNOWN);
export const formatPercent = (share) => (isNumber(share) ? `${digits(100 * share, 2)}%` : UNKNOWN);
export const formatMicroseconds = (ns) => (isNumber(ns) ? digits(ns / 1e3, 4) : UNKNOWN);
export const formatCount = (count) => (isNumber(count) ? count.toLocaleString("en-GB") : UNKNOWN);
export const formatInterval = (low, high) =>
  isNumber(low) && isNumber(high) ? `${formatTime(low)} to ${formatTime(high)}` : UNKNOWN;
export const plural = (count, word, many = `${word}s`) => `${formatCount(count)} ${count === 1 ? word : many}`;
export const formatGiB = (bytes) => (bytes > 0 ? `${digits(bytes / 1e9)} GB` : null);

// "2026-11-23T10:11:12Z" as "2026-11-23 10:11 UTC".
export const formatDate = (text) => String(text ?? "").replace(/^(\S+)T(\d\d:\d\d).*Z$/, "$1 $2 UTC");

const NAMED_MAX = 4;

// "a, b, c, d and 3 more"
export function listSome(values, most = NAMED_MAX) {
  const named = values.slice(0, most).join(", ");
  return values.length > most ? `${named} and ${values.length - most} more` : named;
}
