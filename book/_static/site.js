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

  /** Let the keyboard reach a box exactly while it scrolls: one that does not is only a stop on the way. */
  function reach(box, name) {
    const scrolls = box.scrollWidth > box.clientWidth + 1 || box.scrollHeight > box.clientHeight + 1;
    if (scrolls) {
      box.tabIndex = 0;
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", name + ", scrolls sideways");
    } else if (box.getAttribute("aria-label") === name + ", scrolls sideways" || box.tabIndex < 0) {
      for (const attribute of ["tabindex", "role", "aria-label"]) box.removeAttribute(attribute);
    }
  }

  /** Those that are laid out: asking for the size of others would lay out the whole page (see site.css). */
  function drawn(selector) {
    return [...document.querySelectorAll(selector)].filter(
      (box) => !box.checkVisibility || box.checkVisibility({ contentVisibilityAuto: true })
    );
  }

  function reachAll() {
    for (const formula of drawn("span.math")) {
      formula.classList.remove("math-wide");
      const column = formula.closest("p, li, dd, td, th, div");
      if (column && formula.getBoundingClientRect().width > column.clientWidth) formula.classList.add("math-wide");
    }
    for (const [selector, name] of Object.entries(BOXES)) {
      for (const box of drawn("main " + selector)) {
        if (!box.matches("span.math:not(.math-wide)")) reach(box, name);
      }
    }
  }

  let waiting = 0;
  function soon() {
    clearTimeout(waiting);
    waiting = setTimeout(reachAll, 350);
  }
  addEventListener("load", soon);
  addEventListener("resize", soon);
  document.addEventListener("contentvisibilityautostatechange", soon, true); // a section comes near
  if (document.fonts) document.fonts.ready.then(soon);

  // The theme's print button, whose own handler stands in the page, where the policy forbids it (see policy.py).
  addEventListener("click", function (event) {
    if (event.target.closest("[data-print]")) print();
  });

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
