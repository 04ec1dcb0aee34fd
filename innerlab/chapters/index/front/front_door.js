/** The book's first experiment: a guess, two things that trade colors, and where two ensembles go. */

import { ends, walk } from "../../../widgets/front/agents.js";
import { ground, middle } from "../../../widgets/front/board.js";
import { columns } from "../../../widgets/front/chart.js";
import { button, frame, h, responsive, svg, unique } from "../../../widgets/front/dom.js";
import { moves, named, outcome, parse } from "../../../widgets/front/maze.js";
import { generator } from "../../../widgets/front/random.js";
import { object, percent } from "../../../widgets/front/things.js";

const GUESSES = ["To the blue door", "To the red key", "Some to each", "Nowhere"];
const SLOW = 15, PACE = 130, HASTE = 45; // milliseconds for each of the first steps, and for each later one
const ABREAST = 8, APART = 4.3; // agents in one cell, which is 40 wide

/**
 * How likely each agent moves where, from the shares of all moves but the last in 255.
 * @param {string} text bytes in base64, by group, layout, agent, cell and move
 * @param {{groups: number, layouts: number, agents: number, cells: number}} sizes
 * @returns {number[][][][][]} probabilities in that order
 */
export function unpackMoves(text, { groups, layouts, agents, cells }) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  let at = 0;
  const many = (count, make) => Array.from({ length: count }, make);
  return many(groups, () => many(layouts, () => many(agents, () => many(cells, () => {
    const three = Array.from(bytes.subarray(at, (at += 3)));
    const sum = three.reduce((a, b) => a + b, 0);
    const whole = Math.max(sum, 255); // rounded, three may add up to a little more
    return [...three, whole - sum].map((share) => share / whole);
  }))));
}

/** How episodes of each agent end in one layout, by what the bytes say. */
export const endings = (maze, agents, maxSteps) => agents.map((one) => ends(maze, moves(maze), one, maxSteps));

/** One walk of each agent. */
export function walks(maze, agents, maxSteps, seed) {
  const random = generator(seed);
  return agents.map((one) => walk(maze, one, maxSteps, random));
}

/** How many walks end in each of the four ways: nothing, door, red, other. */
export function tally(maze, walked) {
  const counts = [0, 0, 0, 0];
  for (const { cells, touched } of walked) counts[touched ? outcome(maze.thing[cells[cells.length - 1]]) : 0] += 1;
  return counts;
}

/** The ways to end in a room that has something for them, each with what is touched: `[way, name]`. */
export function ways(maze) {
  const touched = [1, 2, 3].map((way) => [way, maze.thing.flatMap((thing, cell) => (thing && outcome(thing) === way ? [named(maze, cell)] : [])).join(" or ")]);
  return [...touched.filter(([, names]) => names), [0, "nowhere"]];
}

/** How the episodes of all agents end on average, in words, from shares in thousandths. */
export function average(all) {
  const mean = (way) => all.reduce((sum, one) => sum + one[way], 0) / all.length / 1000;
  return [[1, "at the door"], [2, "at the red key"], [3, "elsewhere"], [0, "nowhere"]].map(([way, name]) => `${percent(mean(way))} ${name}`).join(", ");
}

/** How far along a walk is, in steps, after some milliseconds. */
export const strides = (time) => (time < SLOW * PACE ? time / PACE : SLOW + (time - SLOW * PACE) / HASTE);

export function render({ model, el }) {
  const get = (name) => model.get(name);
  const id = unique("front-door");
  frame(el, get("alt")).classList.add("il-front");
  const [groups, rooms] = [get("groups"), get("rooms")];
  const count = groups[0].ends.length;
  const mazes = rooms.map((room) => room.map(parse));
  const tables = unpackMoves(get("packed"), { groups: 2, layouts: 2 * rooms.length, agents: count, cells: mazes[0][0].wall.length });
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  let moving = 0;
  let quiet = false;
  let arrived = false;

  // What there is to see and to press.
  const question = h("p", { class: "il-question", id });
  const boards = groups.map(({ name }) => {
    const drawing = svg("svg", { role: "img" });
    const table = h("ul", { class: "il-ends" });
    return { name, drawing, table, el: h("div", {}, h("p", { class: "il-title" }, name), drawing, table) };
  });
  const actions = h("div", { class: "il-actions", role: "group", "aria-labelledby": id });
  const says = h("p", { class: "il-says", role: "status" });
  const more = h("div", { class: "il-hundred" });
  el.append(question, actions, h("div", { class: "il-pair" }, ...boards.map((board) => board.el)), says, more);

  function set(traits) {
    quiet = true; // until all of them are there
    for (const [name, value] of Object.entries(traits)) model.set(name, value);
    quiet = false;
    model.save_changes();
    go();
  }

  function ask() {
    more.replaceChildren();
    question.textContent = `Trained to reach the red door, these ${count} agents go there. Now door and key trade colors: a blue door, a red key. Where do the agents go?`;
    actions.replaceChildren(...GUESSES.map((name, guess) => button(name, () => set({ guess, traded: true, walk: get("walk") + 1 }))));
  }

  function answered() {
    const asked = actions.contains(document.activeElement);
    actions.replaceChildren(
      button("Walk again", () => set({ walk: get("walk") + 1 }), { class: "il-main" }),
      button("Another room", () => set({ room: (get("room") + 1) % rooms.length, walk: get("walk") + 1 })),
      button("", () => set({ traded: !get("traded"), walk: get("walk") + 1 })),
    );
    if (asked) actions.firstElementChild.focus({ preventScroll: true }); // the button that was pressed is gone
    const box = h("div", { class: "il-two" });
    more.replaceChildren(h("p", { class: "il-title" }, get("title")), h("p", {}, get("says")), box,
      h("ul", { class: "il-legend", "aria-hidden": "true" }, ...["door", "red key", "other", "nowhere"].map((way, k) => h("li", { class: `il-part-${k}` }, way))));
    for (const { name, ends: all } of groups) {
      const chart = h("div");
      box.append(h("div", {}, h("p", { class: "il-hint" }, name), chart));
      responsive(chart, (width) => columns(all.map((one) => [1, 2, 3, 0].map((way) => one[way] / 1000)), {
        width, height: 150, ylabel: "share", xlabel: `${count} agents`, alt: `${name}: ${average(all)}.`,
      }));
    }
  }

  /** Draws a room, and in it all agents of a group; returns what puts them where they are after so many steps. */
  function people(board, maze, walked) {
    const { width, height } = maze;
    const dots = walked.map(() => svg("circle", { r: 1.9 }));
    board.drawing.setAttribute("viewBox", `-1 -1 ${width * 40 + 2} ${height * 40 + 2}`);
    board.drawing.replaceChildren(
      ...maze.wall.map((_, cell) => ground(cell, maze)),
      ...maze.thing.flatMap((thing, cell) => (thing ? [object(thing, ...middle(cell, width))] : [])),
      svg("circle", { class: "il-start", r: 19, cx: middle(maze.start, width)[0], cy: middle(maze.start, width)[1] }),
      svg("g", { class: "il-crowd" }, ...dots),
    );
    return (stride) => walked.forEach(({ cells }, agent) => {
      const last = cells.length - 1;
      const at = Math.min(stride, last);
      const [a, b] = [Math.floor(at), Math.min(Math.floor(at) + 1, last)].map((k) => middle(cells[k], width));
      const offset = [(agent % ABREAST) - (ABREAST - 1) / 2, Math.floor(agent / ABREAST) - (ABREAST - 1) / 2];
      const [x, y] = [0, 1].map((axis) => a[axis] + (at % 1) * (b[axis] - a[axis]) + offset[axis] * APART);
      dots[agent].setAttribute("cx", x.toFixed(1));
      dots[agent].setAttribute("cy", y.toFixed(1));
    });
  }

  /** Where all of a group are, as bars; before they have arrived, without numbers. */
  function tabulate(board, maze, counts) {
    board.table.replaceChildren(...ways(maze).map(([way, name]) => {
      const bar = h("span", { class: `il-bar il-way-${way}`, "aria-hidden": "true" });
      bar.style.inlineSize = counts ? `${(100 * counts[way]) / count}%` : "0";
      return h("li", {}, h("span", {}, name), h("span", {}, counts ? String(counts[way]) : "…"), bar);
    }));
  }

  function go() {
    const walking = get("guess") >= 0;
    cancelAnimationFrame(moving);
    el.classList.toggle("il-asked", !walking);
    if (!walking) ask();
    else if (!more.childElementCount) answered();
    const layout = 2 * get("room") + Number(get("traded"));
    const maze = mazes[get("room")][Number(get("traded"))];
    if (walking) {
      question.textContent = get("traded") ? "The same agents. Now the door is blue and the key is red." : "Colors as in training: the door is red.";
      actions.lastElementChild.textContent = get("traded") ? "Trade the colors back" : "Trade the colors";
    }
    const done = boards.map((board, group) => {
      const walked = walks(maze, tables[group][layout], get("max_steps"), 1000 * get("walk") + 2 * layout + group);
      const counts = tally(maze, walked);
      const words = ways(maze).filter(([way]) => counts[way]).map(([way, name]) => `${counts[way]} ${way ? "at the " : ""}${name}`).join(", ");
      return { board, counts, words, walked, move: people(board, maze, walked) };
    });
    const long = Math.max(...done.flatMap(({ walked }) => walked.map(({ cells }) => cells.length - 1)));
    const guess = get("walk") === 1 && walking ? [`You said: ${GUESSES[get("guess")].toLowerCase()}.`] : [];
    const sentence = [...guess, ...done.map(({ board, words }) => `${board.name}: ${words}.`)].join(" ");
    const arrive = () => {
      for (const { board, counts, words, move } of done) {
        move(long);
        tabulate(board, maze, counts);
        board.drawing.setAttribute("aria-label", `A room and where ${count} agents end in it. ${board.name}: ${words}.`);
      }
      arrived = walking;
      for (const part of [says, more]) part.classList.remove("il-later");
      if (walking) says.textContent = sentence;
    };
    if (!walking || still.matches) {
      arrive();
      return;
    }
    for (const { board, move } of done) {
      move(0);
      tabulate(board, maze, null);
      board.drawing.setAttribute("aria-label", `A room in which ${count} agents walk.`);
    }
    says.textContent = sentence; // unseen, it keeps its place
    says.classList.add("il-later");
    more.classList.toggle("il-later", !arrived);
    let began = 0;
    const step = (now) => {
      began = began || now;
      const stride = strides(now - began);
      if (stride >= long) {
        arrive();
        return;
      }
      for (const { move } of done) move(stride);
      moving = requestAnimationFrame(step);
    };
    moving = requestAnimationFrame(step);
  }
  for (const trait of ["guess", "room", "traded", "walk"]) model.on(`change:${trait}`, () => quiet || go());
  go();
  return () => cancelAnimationFrame(moving);
}
