// What differs between two texts: first which steps belong together, then which words.

const LIKE = 0.4; // steps that share less of their words are not the same step
const MOST = 1_500_000; // cells of a table of words; beyond it a step counts as wholly changed

// Which of `left` and `right` (lists of lists of words) belong together, in their order.
// Returns rows [i or null, j or null] that name every one of both once.
export function pairSteps(left, right) {
  const like = left.map((a) => right.map((b) => likeness(a, b)));
  const best = left.map(() => new Float64Array(right.length + 1));
  best.push(new Float64Array(right.length + 1));
  for (let i = left.length - 1; i >= 0; i -= 1) {
    for (let j = right.length - 1; j >= 0; j -= 1) {
      const both = like[i][j] >= LIKE ? best[i + 1][j + 1] + like[i][j] : -1;
      best[i][j] = Math.max(both, best[i + 1][j], best[i][j + 1]);
    }
  }
  const rows = [];
  let [i, j] = [0, 0];
  while (i < left.length && j < right.length) {
    if (like[i][j] >= LIKE && best[i][j] === best[i + 1][j + 1] + like[i][j]) rows.push([i++, j++]);
    else if (best[i][j] === best[i + 1][j]) rows.push([i++, null]);
    else rows.push([null, j++]);
  }
  while (i < left.length) rows.push([i++, null]);
  while (j < right.length) rows.push([null, j++]);
  return rows;
}

// The share of words that two lists have in common, from 0 to 1 (Dice's coefficient of multisets).
export function likeness(a, b) {
  if (!a.length || !b.length) return a.length === b.length ? 1 : 0;
  const count = new Map();
  for (const word of a) count.set(word, (count.get(word) ?? 0) + 1);
  let common = 0;
  for (const word of b) {
    const left = count.get(word) ?? 0;
    if (left) common += 1;
    count.set(word, left - 1);
  }
  return (2 * common) / (a.length + b.length);
}

// [["same" | "gone" | "new", index in a or null, index in b or null], …] by the longest common
// subsequence of words.
export function diffWords(a, b) {
  if (a.length * b.length > MOST) {
    return [...a.map((_, i) => ["gone", i, null]), ...b.map((_, j) => ["new", null, j])];
  }
  const width = b.length + 1;
  const longest = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      longest[i * width + j] = a[i] === b[j]
        ? longest[(i + 1) * width + j + 1] + 1
        : Math.max(longest[(i + 1) * width + j], longest[i * width + j + 1]);
    }
  }
  const rows = [];
  let [i, j] = [0, 0];
  while (i < a.length && j < b.length) {
    if (a[i] === b[j]) rows.push(["same", i++, j++]);
    else if (longest[(i + 1) * width + j] >= longest[i * width + j + 1]) rows.push(["gone", i++, null]);
    else rows.push(["new", null, j++]);
  }
  while (i < a.length) rows.push(["gone", i++, null]);
  while (j < b.length) rows.push(["new", null, j++]);
  return rows;
}
