// {"1-740": 1, "741": -1}: what is sent stays small, however many steps there are.
export function ranged(labels) {
  const found = {};
  let [first, last] = [0, 0];
  const close = () => first && (found[first === last ? first : `${first}-${last}`] = labels[first]);
  for (const number of Object.keys(labels).map(Number).sort((a, b) => a - b)) {
    if (number !== last + 1 || labels[number] !== labels[first]) {
      close();
      first = number;
    }
    last = number;
  }
  close();
  return found;
}
