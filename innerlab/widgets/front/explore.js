/** A figure with a few settings. The numbers of every position were made by Python; this draws those of the present one. */

import { columns, dots, lines } from "./chart.js";
import { choice, follow, frame, h, responsive, slider } from "./dom.js";

const DRAW = { columns, dots, lines };

/** Which entry of `numbers` belongs to a position: the last setting changes fastest. */
export function index(counts, position) {
  return counts.reduce((at, count, i) => at * count + position[i], 0);
}

/** Whole numbers back to what they stand for, however deeply they are nested. */
export function scaled(numbers, unit) {
  return Array.isArray(numbers) ? numbers.map((part) => scaled(part, unit)) : numbers / unit;
}

export function render({ model, el }) {
  const settings = model.get("settings");
  const counts = settings.map(({ names }) => names.length);
  frame(el, model.get("alt")).classList.add("il-explore");
  const controls = settings.map(({ label, names, numeric }, which) => {
    const change = (at) => {
      model.set("position", model.get("position").map((old, i) => (i === which ? at : old)));
      model.save_changes();
    };
    const at = model.get("position")[which];
    return numeric ? slider(label, names.length, at, (i) => names[i], change) : choice(label, names, at, change);
  });
  const status = h("p", { class: "il-says", role: "status" });
  const box = h("div");
  const parts = model.get("parts");
  const legend = parts.length ? h("ul", { class: "il-legend", "aria-hidden": "true" }, ...parts.map((name, k) => h("li", { class: `il-part-${k}` }, name))) : "";
  el.append(h("div", { class: "il-controls" }, ...controls), legend, box, status);

  /** What a kernel has just worked out for this position, or else what was worked out beforehand. */
  function present() {
    const live = model.get("live");
    const position = model.get("position");
    if (JSON.stringify(live?.position) === JSON.stringify(position)) return live;
    const at = index(counts, position);
    return { numbers: model.get("numbers")[at], says: model.get("says")[at] };
  }
  const draw = (width) => DRAW[model.get("draw")](scaled(present().numbers, model.get("unit")), {
    width, height: 250, xlabel: model.get("xlabel"), ylabel: model.get("ylabel"), alt: present().says,
    ...(model.get("at").length ? { at: model.get("at") } : {}),
  });
  const redraw = responsive(box, draw);
  const update = () => {
    redraw();
    status.textContent = present().says;
  };
  status.textContent = present().says;
  model.on("change:position", () => {
    controls.forEach((control, which) => follow(control, model.get("position")[which]));
    update();
  });
  model.on("change:live", update);
}
