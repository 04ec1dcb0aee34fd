/** Charts like those of the book's figures: seeds as columns, dots or lines, on one pair of axes. */

import { svg } from "./dom.js";

const LEFT = 46, RIGHT = 10, TOP = 10, LABEL = 26, TICKS = 16;

/** The straight map from one interval onto another. */
export function scale([from, to], [start, end]) {
  return (value) => start + ((value - from) / (to - from)) * (end - start);
}

/** About `count` round numbers from `low` to `high`. */
export function ticks(low, high, count = 5) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size >= rough * 0.999);
  const found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i += 1) found.push(Number((i * step).toPrecision(12)));
  return found;
}

/**
 * Axes to draw on.
 * @param {{width: number, height: number, x: [number, number], y: [number, number], xlabel?: string, ylabel?: string,
 *   xticks?: {at: number, name: string}[], yticks?: boolean, alt?: string}} options
 * @returns {{root: SVGElement, plot: SVGElement, x: (value: number) => number, y: (value: number) => number}}
 */
export function axes({ width, height, x: xs, y: ys, xlabel = "", ylabel = "", xticks, yticks = true, alt = "" }) {
  const left = yticks ? LEFT : RIGHT;
  const bottom = height - LABEL - (xticks?.length === 0 ? 0 : TICKS);
  const x = scale(xs, [left, width - RIGHT]);
  const y = scale(ys, [bottom, TOP]);
  const named = xticks ?? ticks(...xs).map((at) => ({ at, name: String(at) }));
  const plot = svg("g");
  const word = (text, attributes) => svg("text", attributes, text);
  const root = svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "il-chart", ...(alt ? { role: "img", "aria-label": alt } : { "aria-hidden": "true" }) },
    plot,
    svg("path", { class: "il-axis", d: `M${left} ${yticks ? TOP : bottom}V${bottom}H${width - RIGHT}` }),
    ...named.flatMap(({ at, name }) => [
      svg("path", { class: "il-axis", d: `M${x(at)} ${bottom}v4` }),
      word(name, { x: x(at), y: bottom + 17, "text-anchor": "middle" }),
    ]),
    ...(yticks ? ticks(...ys) : []).flatMap((at) => [
      svg("path", { class: "il-axis", d: `M${left} ${y(at)}h-4` }),
      word(String(at), { x: left - 7, y: y(at) + 4, "text-anchor": "end" }),
    ]),
    word(xlabel, { x: (left + width - RIGHT) / 2, y: height - 6, "text-anchor": "middle" }),
    yticks ? word(ylabel, { x: 0, y: 0, transform: `translate(11 ${(TOP + bottom) / 2}) rotate(-90)`, "text-anchor": "middle" }) : "",
  );
  return { root, plot, x, y };
}

/** The points of a line, as a path. */
export function path(xs, ys) {
  return xs.map((x, i) => `${i ? "L" : "M"}${x.toFixed(1)} ${ys[i].toFixed(1)}`).join("");
}

/**
 * One column a seed, split into parts from below; part k has the class `il-part-k`.
 * @param {number[][]} values of shares
 * @param {{marked?: number} & object} options as for `axes`, and which column to point at
 */
export function columns(values, options) {
  const { root, plot, x, y } = axes({ x: [0, values.length], y: [0, 1], xticks: [], ...options });
  const wide = Math.max(0.5, x(1) - x(0) - 0.4).toFixed(2);
  values.forEach((parts, seed) => {
    let below = 0;
    parts.forEach((part, k) => {
      plot.append(svg("rect", { class: `il-part-${k}`, x: x(seed).toFixed(2), width: wide, y: y(below + part).toFixed(2), height: (y(below) - y(below + part)).toFixed(2) }));
      below += part;
    });
    if (seed === options.marked) plot.append(svg("path", { class: "il-mark", d: `M${x(seed + 0.5)} ${y(1) - 1}l-4 -7h8z` }));
  });
  return root;
}

const BINS = 20, ABREAST = 3;

/** Where each of some values from 0 to 1 stands as a dot: its bin, and its place in it counted from below. */
export function heaps(values) {
  const filled = new Array(BINS).fill(0);
  return values.map((value) => {
    const bin = Math.min(Math.floor(value * BINS), BINS - 1);
    filled[bin] += 1;
    return { bin, place: filled[bin] - 1 };
  });
}

/** One dot a seed, heaped up in bins of a twentieth. */
export function dots(values, options) {
  const places = heaps(values);
  const rows = Math.max(4, ...places.map(({ place }) => Math.floor(place / ABREAST) + 1));
  const { root, plot, x, y } = axes({ x: [0, 1], y: [0, Math.max(rows, 12)], yticks: false, ...options });
  for (const { bin, place } of places) {
    const at = (bin + 0.5 + ((place % ABREAST) - (ABREAST - 1) / 2) / (ABREAST + 0.3)) / BINS;
    plot.append(svg("circle", { class: "il-dot", cx: x(at).toFixed(1), cy: y(Math.floor(place / ABREAST) + 0.5).toFixed(1), r: 3.2 }));
  }
  return root;
}

/** Thin lines, one a seed, and their median. */
export function lines(values, options) {
  const at = options.at ?? values[0].map((_, i) => i);
  const { root, plot, x, y } = axes({ x: [at[0], at[at.length - 1]], y: [0, 1], ...options });
  for (const line of values) plot.append(svg("path", { class: "il-line", d: path(at.map(x), line.map(y)) }));
  const middle = at.map((_, i) => median(values.map((line) => line[i])));
  plot.append(svg("path", { class: "il-median", d: path(at.map(x), middle.map(y)) }));
  return root;
}

/** The median of some numbers. */
export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}
