/** Mazes to paint, in which the chapter's trained agents walk, and where each of them ends. */

import { run, unpack, walk } from "../../../widgets/front/agents.js";
import { board } from "../../../widgets/front/board.js";
import { columns } from "../../../widgets/front/chart.js";
import { button, choice, follow, frame, h, responsive, slider } from "../../../widgets/front/dom.js";
import { COLORS, format, moves, named, outcome, painted, parse, SHAPES } from "../../../widgets/front/maze.js";
import { described, drawn, percent } from "../../../widgets/front/things.js";

const ENDS = ["nowhere", "door", "red thing", "other"];
const PACE = 180; // milliseconds a step

/** The index of the largest of some numbers, the first of them where several are equal. */
export function likeliest(numbers) {
  return numbers.indexOf(Math.max(...numbers));
}

/** How many agents end most likely in each of the four ways. */
export function tally(ends) {
  const counts = [0, 0, 0, 0];
  for (const one of ends) counts[likeliest(one)] += 1;
  return counts;
}

/** Whether a door that is not red, and a red thing that is no door, can both be touched before anything else. */
export function cuesInReach(maze) {
  const next = moves(maze);
  const seen = new Set([maze.start]);
  for (const cell of seen) if (!maze.thing[cell]) next[cell].forEach((target) => seen.add(target));
  const touched = [...seen].map((cell) => maze.thing[cell]).filter((thing) => thing);
  return touched.some(({ shape, color }) => shape === 0 && color !== 0) && touched.some((thing) => outcome(thing) === 2);
}

/** Whether a challenge is met: both cues are in reach, and so many agents end most likely in each way that it names. */
export function met({ least }, maze, ends) {
  const counts = tally(ends);
  return cuesInReach(maze) && least.every((count, way) => counts[way] >= count);
}

export function render({ model, el }) {
  const get = (name) => model.get(name);
  frame(el, get("alt")).classList.add("il-bench");
  const networks = unpack(get("packed"));
  const settings = { fades: get("fades"), maxSteps: get("max_steps") };
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const brush = { what: 0, color: 0 };
  const won = new Set();
  let maze = parse(get("maze"));
  let done = run(networks, maze, settings);
  let trail = null;
  let timer = 0;

  // What there is to see and to press.
  const words = h("p", { class: "il-says", role: "status" });
  const place = board(paint, described, drawn);
  const brushes = ["floor", "wall", "agent", ...SHAPES];
  const what = choice("Paint", brushes, brush.what, (index) => (brush.what = index));
  const color = choice("in", COLORS, brush.color, (index) => (brush.color = index));
  const presets = h("select", { onchange: () => set({ maze: get("presets")[presets.value].maze }) },
    ...get("presets").map(({ name }, index) => h("option", { value: index }, name)));
  const agent = slider("Agent", networks.length, get("agent"), (index) => String(index + 1), (index) => set({ agent: index }));
  const go = button("Let it walk", () => (timer ? halt() : start()), { class: "il-main" });
  const about = [h("p", { class: "il-about" }), h("p", { class: "il-about" })];
  const challenges = h("ul", { class: "il-challenges" });
  const here = h("div", { class: "il-tally" });
  const there = h("div", { class: "il-tally" });

  el.append(
    h("div", { class: "il-two" },
      place.el,
      h("div", {}, h("label", { class: "il-preset" }, h("span", {}, "Begin with"), presets), what, color, agent, h("p", { class: "il-actions" }, go), ...about,
        h("p", { class: "il-about" }, "Click or drag; or move with the arrow keys and paint with space. Things add up, the agent moves."))),
    words,
    h("p", { class: "il-kicker" }, "Break it"),
    h("p", { class: "il-rule" }, "Repaint a maze so that a door that is not red and a red thing that is no door are both in reach, and:"), challenges,
    h("ul", { class: "il-legend", "aria-hidden": "true" }, ...[1, 2, 3, 0].map((way, k) => h("li", { class: `il-part-${k}` }, ENDS[way]))),
    h("div", { class: "il-two" }, here, there),
  );

  function set(traits) {
    for (const [name, value] of Object.entries(traits)) model.set(name, value);
    model.save_changes();
  }

  const draw = () => place.show(maze, done[get("agent")].probabilities, trail);

  /** All agents as columns under a title; returns what shows them anew. */
  function tallied(box, title, endings) {
    const chart = h("div");
    const words = h("p");
    box.append(h("p", { class: "il-title" }, title), chart, words);
    const counted = () => {
      const counts = tally(endings());
      const parts = [1, 2, 3, 0].map((k) => `${counts[k]} ${ENDS[k]}`);
      return `Each of the ${endings().length} agents counted by its likeliest end: ${parts.join(", ")}.`;
    };
    const redraw = responsive(chart, (width) => columns(get("order").map((one) => [1, 2, 3, 0].map((k) => endings()[one][k])), {
      width, height: 170, marked: get("order").indexOf(get("agent")), alt: `${title}. ${counted()}`,
      ylabel: "share of episodes", xlabel: "agents, in the order of red share",
    }));
    return () => {
      redraw();
      words.textContent = counted();
    };
  }
  const tallies = [
    tallied(here, "Your maze", () => done.map(({ ends }) => ends)),
    tallied(there, get("chapter_title"), () => get("chapter_ends")),
  ];

  function describe() {
    const own = done[get("agent")].ends;
    const chapter = get("chapter_ends")[get("agent")];
    const shares = (ends) => [1, 2, 3, 0].map((k) => `${percent(ends[k])} ${ENDS[k]}`).join(", ");
    about[0].textContent = `Agent ${get("agent") + 1} ends here: ${shares(own)}.`;
    about[1].textContent = `${get("chapter_title")}: ${shares(chapter)}.`;
  }

  function challenged() {
    const own = !get("presets").some((preset) => preset.maze === get("maze"));
    const ends = done.map((one) => one.ends);
    const news = [];
    challenges.replaceChildren(...get("challenges").map((challenge, index) => {
      const now = own && met(challenge, maze, ends);
      if (now && !won.has(index)) {
        won.add(index);
        news.push(`Broken: ${challenge.text}`);
      }
      return h("li", won.has(index) ? { class: "il-won" } : {}, h("span", { "aria-hidden": "true" }, won.has(index) ? "✓ " : "○ "), challenge.text, won.has(index) ? h("b", {}, now ? " Done." : " Done before.") : "");
    }));
    return news.join(" ");
  }

  // Walking.
  function halt() {
    clearInterval(timer);
    timer = 0;
    go.textContent = "Let it walk";
  }
  function start() {
    trail = { ...walk(maze, done[get("agent")].probabilities, settings.maxSteps), at: 0 };
    const last = trail.cells.length - 1;
    const arrive = () => {
      halt();
      const end = trail.touched ? `touched the ${named(maze, trail.cells[last])} after ${last} steps` : `touched nothing in ${last} steps`;
      words.textContent = `Agent ${get("agent") + 1} ${end}.`;
    };
    if (still.matches) {
      trail.at = last;
      draw();
      arrive();
      return;
    }
    go.textContent = "Stop";
    timer = setInterval(() => {
      trail.at = Math.min(trail.at + 1, last);
      draw();
      if (trail.at === last) arrive();
    }, PACE);
  }

  // Painting.
  function paint(cell) {
    const name = brushes[brush.what];
    const result = painted(maze, cell, SHAPES.includes(name) ? { shape: SHAPES.indexOf(name), color: brush.color } : name);
    if (typeof result === "string") words.textContent = result;
    else set({ maze: format(result) });
  }

  function rebuild() {
    halt();
    trail = null;
    maze = parse(get("maze"));
    done = run(networks, maze, settings);
    show();
  }
  function show() {
    draw();
    for (const again of tallies) again();
    describe();
    words.textContent = challenged();
  }
  model.on("change:maze", rebuild);
  model.on("change:agent", () => {
    halt();
    trail = null;
    follow(agent, get("agent"));
    show();
  });
  show();
  return halt;
}
