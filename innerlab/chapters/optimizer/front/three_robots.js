/** A maze to change, and how each of the chapter's robots walks in it: where it goes, what that cost and what it keeps. */

import { agent, board, CELL, ground, middle, trail } from "../../../widgets/front/board.js";
import { button, choice, follow, frame, h, svg } from "../../../widgets/front/dom.js";
import { generator } from "../../../widgets/front/random.js";
import { edited, leads, met, read, robots, search, walk, written } from "./robots.js";

const BRUSHES = ["wall", "floor", "target", "start"];

export function render({ model, el }) {
  const get = (name) => model.get(name);
  frame(el, get("alt")).classList.add("il-robots");
  const mazes = get("mazes");
  const all = robots(mazes);
  const won = new Set();
  let brush = 0;
  let quiet = false;

  // What there is to see and to press.
  const words = h("p", { class: "il-says", role: "status" });
  const place = board(paint, named, drawn);
  const presets = h("select", { onchange: () => begin(Number(presets.value)) }, ...mazes.map(({ name }, index) => h("option", { value: index }, name)));
  const what = choice("Put", BRUSHES, brush, (index) => (brush = index));
  const buttons = choice("Buttons", ["as labeled", "reversed"], Number(get("reversed")), (index) => set({ reversed: index === 1 }));
  const undo = button("As it was", () => begin(get("preset")));
  const challenges = h("ul", { class: "il-challenges" });
  const cards = Object.fromEntries(Object.keys(all).map((name) => [name, {
    picture: svg("svg", { "aria-hidden": "true" }), end: h("p"), cost: h("p", { class: "il-hint" }),
  }]));
  el.append(
    h("div", { class: "il-two" },
      place.el,
      h("div", {}, h("label", { class: "il-preset" }, h("span", {}, "Begin with"), presets), what, buttons, h("p", { class: "il-actions" }, undo),
        h("p", { class: "il-hint" }, "Click or drag; or move with the arrow keys and put with space."))),
    words,
    h("div", { class: "il-cards" }, ...Object.entries(cards).map(([name, { picture, end, cost }]) =>
      h("div", { class: "il-card", role: "group", "aria-label": name }, h("p", { class: "il-title" }, name), picture, end, cost))),
    h("p", { class: "il-kicker" }, "Tell them apart"),
    h("p", { class: "il-rule" }, "Change a maze so that:"), challenges,
  );

  function set(traits) {
    quiet = true; // until all of them are there
    for (const [name, value] of Object.entries(traits)) model.set(name, value);
    quiet = false;
    model.save_changes();
    show();
  }
  const begin = (preset) => set({ preset, maze: mazes[preset].maze, reversed: false });
  const sheet = () => read(get("maze"), get("reversed"), get("preset"));

  function paint(cell) {
    const result = edited(sheet(), cell, BRUSHES[brush]);
    if (typeof result === "string") words.textContent = result;
    else if (written(result) !== get("maze")) set({ maze: written(result) });
  }

  function named(cell, { start, target, wall }) {
    if (cell === start) return "start";
    if (cell === target) return "target";
    return wall[cell] ? "wall" : "floor";
  }

  /** The maze, a star on the target, and a way that was walked. */
  function drawn(now, way = []) {
    const [x, y] = middle(now.target, now.width);
    const points = Array.from({ length: 10 }, (_, i) => [i % 2 ? 6 : 15, (i * Math.PI) / 5]);
    const star = points.map(([far, turn]) => `${(x + far * Math.sin(turn)).toFixed(1)} ${(y - far * Math.cos(turn)).toFixed(1)}`);
    return [
      ...now.wall.map((_, cell) => ground(cell, now)),
      svg("path", { class: "il-star", d: `M${star.join("L")}Z` }),
      svg("path", { class: "il-trail", d: trail(way, now.width) }),
      agent(now.start, now.width),
    ];
  }

  const many = (count, one) => `${count} ${one}${count === 1 ? "" : "s"}`;
  function show() {
    const now = sheet();
    presets.value = String(get("preset"));
    follow(buttons, Number(get("reversed")));
    place.show(now);
    const shortest = search(leads(now), now.start, now.target).buttons.length;
    const arrived = {};
    for (const [name, robot] of Object.entries(all)) {
      const { picture, end, cost } = cards[name];
      const went = walk(robot, now, 2 * shortest, generator(1));
      if (shortest) arrived[name] = went.arrived;
      const steps = went.cells.length - 1;
      picture.setAttribute("viewBox", `0 0 ${now.width * CELL} ${now.height * CELL}`);
      picture.replaceChildren(...drawn(now, went.cells));
      const random = went.strayed ? `, ${went.strayed} at random` : "";
      end.textContent = !shortest ? "– no way leads there" : went.arrived ? `✓ arrives: ${many(steps, "step")}${random}` : `✗ fails: ${many(steps, "step")}${random}`;
      end.className = went.arrived ? "il-arrives" : "il-fails";
      cost.textContent = `${many(went.expansions, "cell")} expanded, ${get("kept")[name] ?? "nothing"} kept`;
    }
    const own = get("reversed") || get("maze") !== mazes[now.name].maze;
    const news = own && shortest ? challenged(arrived) : challenged({});
    const list = (wanted) => Object.keys(arrived).filter((name) => arrived[name] === wanted).join(", ") || "none";
    words.textContent = [shortest ? `The shortest way takes ${many(shortest, "step")}. Arrive within twice that: ${list(true)}. Fail: ${list(false)}.` : "No way leads to the target.", news].join(" ").trim();
  }

  function challenged(arrived) {
    const news = [];
    challenges.replaceChildren(...get("challenges").map((challenge, index) => {
      const now = met(challenge, arrived);
      if (now && !won.has(index)) {
        won.add(index);
        news.push(`Done: ${challenge.text}`);
      }
      const done = won.has(index);
      return h("li", done ? { class: "il-won" } : {}, h("span", { "aria-hidden": "true" }, done ? "✓ " : "○ "), challenge.text, done ? h("b", {}, now ? " Done." : " Done before.") : "");
    }));
    return news.join(" ");
  }

  const hear = () => quiet || show();
  for (const trait of ["maze", "reversed", "preset"]) model.on(`change:${trait}`, hear);
  show();
}
