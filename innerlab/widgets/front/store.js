/** Keeps a reader's answers on the reader's own device. Where storage is closed, they last as long as the page. */

const PREFIX = "innerlab/";
/** @type {Map<string, any>} */
const memory = new Map();

/** What is kept under a name, or null; what cannot be read counts as nothing. */
export function recall(name) {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + name)) ?? memory.get(name) ?? null;
  } catch {
    return memory.get(name) ?? null;
  }
}

/**
 * Keep a value under a name; null forgets it.
 * @returns {boolean} whether it will be there when the page is opened again
 */
export function keep(name, value) {
  memory.set(name, value);
  try {
    if (value === null) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}
