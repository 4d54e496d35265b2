// Quantiles and intervals over launches. What concerns one launch comes from the file.

function quantile(sorted, q) {
  const position = q * (sorted.length - 1);
  const low = Math.floor(position);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (sorted[high] - sorted[low]) * (position - low);
}

export const rising = (values) => Array.from(values).sort((a, b) => a - b);
export const median = (values) => quantile(rising(values), 0.5);

// The 95% interval of the median by order statistics: from the k-th smallest to the k-th largest it covers
// 1 - 2 P(B < k), B ~ Binomial(n, 1/2). That needs six values; with fewer it is their range.
export function launchInterval(values) {
  const sorted = rising(values);
  const n = sorted.length;
  let k = 0;
  for (let choose = 0.5 ** n, tail = choose; 2 * tail <= 0.05; tail += choose) {
    k += 1;
    choose *= (n - k + 1) / k;
  }
  const skip = Math.max(k - 1, 0);
  return { low: sorted[skip], high: sorted[n - 1 - skip], range: k === 0 };
}

export function extent(values) {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

// The distribution of sorted values as at most `points` steps: [value, share of values that are no larger].
export function steps(sorted, points) {
  const n = sorted.length;
  const count = Math.min(n, points);
  const result = [[sorted[0], 0]];
  for (let i = 1; i <= count; i += 1) {
    const index = Math.ceil((i * n) / count) - 1;
    result.push([sorted[index], (index + 1) / n]);
  }
  return result;
}

export const sum = (values) => values.reduce((total, value) => total + value, 0);
