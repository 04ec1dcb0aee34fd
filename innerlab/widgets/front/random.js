/** Random numbers that follow from a seed, the same in every browser: a reader can have the same draw twice. */

/**
 * Mulberry32: 32 bits of state, good enough to search with.
 * @param {number} seed a whole number
 * @returns {() => number} draws evenly from 0 to 1
 */
export function generator(seed) {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A draw from the normal distribution, by the formula of Box and Muller. */
export function normal(random) {
  const far = Math.sqrt(-2 * Math.log(1 - random()));
  return far * Math.cos(2 * Math.PI * random());
}
