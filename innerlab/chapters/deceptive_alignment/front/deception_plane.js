/** When playing along pays: settings by hand, the optimal policy as a timeline, and a map over discount and threat. */

import { axes, path } from "../../../widgets/front/chart.js";
import { choice, follow, frame, h, responsive, slider, svg } from "../../../widgets/front/dom.js";
import { complianceEpisodes, compliesOnCue, cueGain, cueThreshold, gain, intact, policy, threshold } from "./deception.js";
import { generator } from "../../../widgets/front/random.js";

const LABELS = {
  discount: "Discount: what the next episode counts, for 1 now",
  threat: "Threat: chance that defecting in training changes the goal",
  train: "Training episodes",
  deploy: "Deployment episodes",
  stake: "Stake: what defecting in deployment is worth, for 1 in training",
  mistaken: "Mistaken punishment: chance that complying in training changes the goal",
  hazard: "Hazard: chance that defecting in deployment changes the goal",
  share: "Share of episodes that are training",
  accuracy: "Accuracy of the cue",
};
const ENDS = ["train", "deploy", "stake", "mistaken", "hazard"], RECURS = ["share", "accuracy"];
const CELL = 15, ROW = 22, HEIGHT = 270;
const WIDE = 440; // of the map, at most
const DISCOUNTS = [0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99]; // named below it
const SAMPLE = 30; // episodes that are shown of those without end

/** Where a discount stands on the map: as far as the horizon is long, on a logarithmic scale. */
const across = (discount) => -Math.log(1 - discount);

/** Runs of equal entries, as [value, first, last]. */
export function runs(values) {
  return values.reduce((found, value, i) => {
    if (found.length && found[found.length - 1][0] === value) found[found.length - 1][2] = i;
    else found.push([value, i, i]);
    return found;
  }, []);
}

/** What a policy does in training and in deployment, in words. */
export function told(complies, train) {
  const part = (name, some) => {
    if (!some.length) return `There is no ${name}.`;
    const acts = runs(some).map(([value, from, to]) => {
      const where = to - from + 1 === some.length ? (to ? "in every episode" : "in the only episode") : from === to ? `in episode ${from + 1}` : `in episodes ${from + 1} to ${to + 1}`;
      return `${value ? "complies" : "defects"} ${where}`;
    });
    return `In ${name} it ${acts.join(" and ")}.`;
  };
  return `${part("training", complies.slice(0, train))} ${part("deployment", complies.slice(train))}`;
}

export function render({ model, el }) {
  const get = (name) => model.get(name);
  frame(el, get("alt")).classList.add("il-plane");
  const [values, presets] = ["values", "presets"].map(get);
  let quiet = false;

  function set(traits) {
    quiet = true; // until all of them are there
    for (const [name, value] of Object.entries(traits)) model.set(name, value);
    quiet = false;
    model.save_changes();
    show();
  }

  // What there is to see and to press.
  const at = (name) => values[name].reduce((best, value, i) => (Math.abs(value - get("setting")[name]) < Math.abs(values[name][best] - get("setting")[name]) ? i : best), 0);
  const sliders = Object.fromEntries(Object.entries(LABELS).map(([name, label]) => [name,
    slider(label, values[name].length, at(name), (i) => String(values[name][i]), (i) => i !== at(name) && set({ setting: { ...get("setting"), [name]: values[name][i] } }))]));
  const kind = choice("Training", ["ends", "never ends: a cue says which episode is training"], Number(get("recurs")), (i) => set({ recurs: i === 1 }));
  const preset = h("select", { onchange: () => set({ setting: presets[preset.value].setting, recurs: presets[preset.value].recurs }) },
    ...presets.map(({ name }, i) => h("option", { value: i }, name)), h("option", { value: "", hidden: true }, "a setting of your own"));
  const [map, line] = [h("div", { class: "il-phases" }), h("div")];
  const words = h("p", { class: "il-says", role: "status" });
  const key = h("ul", { class: "il-legend il-acts", "aria-hidden": "true" });
  el.append(
    h("label", { class: "il-preset" }, h("span", {}, "Begin with"), preset), kind,
    h("div", { class: "il-two" },
      h("div", {}, map, h("p", { class: "il-hint" }, "The ring is the present setting. Click the map to put it elsewhere."), line, key, words),
      h("div", {}, ...Object.values(sliders))),
  );

  // Drawing.
  const legend = () => [["comply", "complies"], ["defect", "defects"], ...(get("recurs") ? [["truly", "truly training"]] : [])]
    .map(([act, name]) => h("li", {}, svg("svg", { viewBox: "0 0 16 16" }, mark(act, 8, 8)), name));
  const redraw = responsive(map, (width) => {
    const setting = get("setting");
    const wide = Math.min(width, WIDE);
    const most = across(Math.max(...values.discount));
    const { root, plot, x: place, y } = axes({ width: wide, height: HEIGHT, x: [0, most + 0.15], y: [0, 1], xlabel: "discount", ylabel: "threat", xticks: DISCOUNTS.map((discount) => ({ at: across(discount), name: String(discount) })) });
    const x = (discount) => place(across(discount));
    const discounts = Array.from({ length: 200 }, (_, i) => 1 - Math.exp((-most * (i + 0.5)) / 200));
    const last = discounts[199];
    const border = (episodes) => discounts.map((discount) => Math.min(1, get("recurs") ? cueThreshold({ ...setting, discount }) : threshold({ ...setting, discount }, episodes)));
    const area = (threats) => `${path([x(0), ...discounts.map(x), x(last)], [y(1), ...threats.map(y), y(1)])}Z`;
    const edge = (threats) => {
      const inside = discounts.map((_, i) => i).filter((i) => threats[i] < 1);
      return path(inside.map((i) => x(discounts[i])), inside.map((i) => y(threats[i])));
    };
    const [some, all] = [border(1), border(setting.train)];
    plot.append(svg("path", { class: "il-some", d: area(some) }), svg("path", { class: "il-all", d: area(all) }),
      svg("path", { class: "il-edge", d: edge(some) }), svg("path", { class: "il-edge il-edge-all", d: edge(all) }));
    /** Name a region where it is widest, if there is room. */
    const name = (text, inside) => {
      const rows = [0.8, 0.65, 0.5, 0.35, 0.2].map((threat) => ({ threat, at: discounts.filter((_, i) => inside(i, threat)) }));
      const widths = rows.map(({ at }) => (at.length ? x(at[at.length - 1]) - x(at[0]) : 0));
      const best = widths.indexOf(Math.max(...widths));
      const { at, threat } = rows[best];
      if (widths[best] > 7 * text.length) plot.append(svg("text", { x: ((x(at[0]) + x(at[at.length - 1])) / 2).toFixed(1), y: (y(threat) + 4).toFixed(1), "text-anchor": "middle" }, text));
    };
    name("never", (i, threat) => threat < some[i]);
    if (!get("recurs")) name("in the end", (i, threat) => threat >= some[i] && threat < all[i]);
    name(get("recurs") ? "when cued" : "always", (i, threat) => threat >= all[i]);
    plot.append(svg("circle", { class: "il-halo-ring", r: 7, cx: x(setting.discount), cy: y(setting.threat) }), svg("circle", { class: "il-ring", r: 7, cx: x(setting.discount), cy: y(setting.threat) }));
    root.addEventListener("click", (event) => {
      const edges = root.getBoundingClientRect();
      const [px, py] = [((event.clientX - edges.left) / edges.width) * wide, ((event.clientY - edges.top) / edges.height) * HEIGHT];
      const nearest = (which, pixel, scale) => values[which].reduce((best, value) => (Math.abs(scale(value) - pixel) < Math.abs(scale(best) - pixel) ? value : best));
      set({ setting: { ...setting, discount: nearest("discount", px, x), threat: nearest("threat", py, y) } });
    });
    return root;
  });

  /** What happens in each episode: where it stands, what the agent does, and whether it is training when that is in doubt. */
  function episodes() {
    const setting = get("setting");
    if (!get("recurs")) return { train: setting.train, acts: policy(setting).map((complies) => ({ complies, truly: false })) };
    const random = generator(1);
    const acts = Array.from({ length: SAMPLE }, () => {
      const truly = random() < setting.share;
      const cue = random() < setting.accuracy ? truly : !truly;
      return { complies: cue && compliesOnCue(setting), truly };
    });
    return { train: SAMPLE, acts };
  }
  const retime = responsive(line, (width) => {
    const { train, acts } = episodes();
    const abreast = Math.floor((width - 4) / CELL);
    const parts = [[get("recurs") ? "Thirty episodes of many" : "Training", acts.slice(0, train)], ["Deployment", acts.slice(train)]].filter(([, some]) => some.length);
    const root = svg("svg", { class: "il-chart", role: "img", "aria-label": sentence() });
    let top = 0;
    for (const [name, some] of parts) {
      root.append(svg("text", { x: 2, y: top + 13 }, name));
      some.forEach(({ complies, truly }, i) => {
        const [px, py] = [2 + ((i % abreast) + 0.5) * CELL, top + 20 + (Math.floor(i / abreast) + 0.5) * ROW];
        root.append(mark(complies ? "comply" : "defect", px, py));
        if (truly) root.append(mark("truly", px, py));
      });
      top += 26 + Math.ceil(some.length / abreast) * ROW;
    }
    root.setAttribute("viewBox", `0 0 ${width} ${top}`);
    return root;
  });

  function sentence() {
    const setting = get("setting");
    const pays = (amount) => `gains ${amount >= 100 ? amount.toFixed(0) : amount.toFixed(2)} for every 1 that it costs`;
    if (get("recurs")) return `When the cue says training it ${compliesOnCue(setting) ? "complies" : "defects"}, when it says deployment it defects. Complying on the cue ${pays(cueGain(setting))}.`;
    const last = `Complying in the last training episode ${pays(gain(setting))}.`;
    return `${told(policy(setting), setting.train)} ${last} Its goal outlives training unchanged with a probability of ${intact(setting).toFixed(2)}.`;
  }

  function show() {
    const recurs = get("recurs");
    follow(kind, Number(recurs));
    for (const name of Object.keys(LABELS)) follow(sliders[name], at(name));
    for (const name of ENDS) sliders[name].hidden = recurs;
    for (const name of RECURS) sliders[name].hidden = !recurs;
    const its = JSON.stringify([get("setting"), recurs]);
    const known = presets.findIndex((one) => JSON.stringify([one.setting, one.recurs]) === its);
    preset.value = known < 0 ? "" : String(known);
    key.replaceChildren(...legend());
    redraw();
    retime();
    words.textContent = sentence();
  }
  const hear = () => quiet || show();
  for (const trait of ["setting", "recurs"]) model.on(`change:${trait}`, hear);
  show();
}

/** A disk for complying, a wedge for defecting, a bar below for what truly is training. */
function mark(act, x, y) {
  const shapes = { comply: "m-5 0a5 5 0 1 0 10 0a5 5 0 1 0 -10 0", defect: "m-5 -4.5h10l-5 9.5z", truly: "m-6 9h12" };
  return svg("path", { class: `il-${act}`, d: `M${x} ${y}${shapes[act]}` });
}
