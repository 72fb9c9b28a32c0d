/**
 * What the browser keeps for the page: in "localStorage" for good, in "sessionStorage" until the
 * tab closes. A browser may forbid both, at the mere mention of their names; then the page
 * remembers while it is open.
 */
const ownMemory = new Map();

export function recall(store, name) {
  try {
    return window[store].getItem(name);
  } catch {
    return ownMemory.get(name) ?? null;
  }
}

export function remember(store, name, value) {
  try {
    window[store].setItem(name, value);
  } catch {
    ownMemory.set(name, value);
  }
}
