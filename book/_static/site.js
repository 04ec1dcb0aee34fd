/* What the pages do by themselves. Loaded with `defer`, after Sphinx's options and before its search. */
(function () {
  "use strict";

  // A page opened from a file may not fetch its neighbors, so search lists titles there, without excerpts.
  if (location.protocol === "file:" && typeof DOCUMENTATION_OPTIONS !== "undefined") {
    DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
  }

  // Boxes that scroll sideways on narrow screens, and what a screen reader calls them.
  const BOXES = {
    ".math-scroll": "Formula",
    "span.math": "Formula",
    ".pst-scrollable-table-container": "Table",
    "div.cell_output .output": "Output",
    "pre": "Code",
  };

  /** Tell whether a box has more to show than fits into it. */
  function scrolls(box) {
    return box.scrollWidth > box.clientWidth + 1 || box.scrollHeight > box.clientHeight + 1;
  }

  /** Tell whether a formula within a line is wider than its column. */
  function sticksOut(formula) {
    const column = formula.closest("p, li, dd, td, th, div");
    return Boolean(column) && formula.getBoundingClientRect().width > column.clientWidth;
  }

  /** Let the keyboard reach a box exactly while it scrolls: one that does not is only a stop on the way. */
  function reach(box, name, scrolling) {
    const label = name + ", scrolls sideways";
    if (scrolling) {
      box.tabIndex = 0;
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", label);
    } else if (box.getAttribute("aria-label") === label || box.tabIndex < 0) {
      for (const attribute of ["tabindex", "role", "aria-label"]) box.removeAttribute(attribute);
    }
  }

  /** Look at all boxes. They are measured before any is changed, else the page would be laid out anew for each. */
  function reachAll() {
    const formulas = [...document.querySelectorAll("span.math")];
    for (const formula of formulas) formula.classList.remove("math-wide");
    const wide = formulas.filter(sticksOut);
    for (const formula of wide) formula.classList.add("math-wide");
    const boxes = Object.entries(BOXES).flatMap(([selector, name]) =>
      [...document.querySelectorAll("main " + selector)].map((box) => ({ box, name }))
    );
    const found = boxes.filter(({ box }) => !box.matches("span.math:not(.math-wide)"));
    for (const one of found) one.scrolling = scrolls(one.box);
    for (const { box, name, scrolling } of found) reach(box, name, scrolling);
  }

  let waiting = 0;
  function soon() {
    clearTimeout(waiting);
    waiting = setTimeout(reachAll, 350);
  }
  addEventListener("load", reachAll);
  // The text changes its size with the window, and when a font comes, a fold opens or a widget is mounted.
  const text = document.querySelector("article");
  if (text) new ResizeObserver(soon).observe(text);
  // The first key mounts all widgets, and Tab is to find the right boxes wherever it leads.
  addEventListener("keydown", reachAll, { capture: true, once: true });

  // On paper every fold is open.
  addEventListener("beforeprint", function () {
    for (const fold of document.querySelectorAll("main details:not([open])")) {
      fold.open = true;
      fold.dataset.folded = "";
    }
  });
  addEventListener("afterprint", function () {
    for (const fold of document.querySelectorAll("details[data-folded]")) {
      fold.open = false;
      delete fold.dataset.folded;
    }
  });
})();
