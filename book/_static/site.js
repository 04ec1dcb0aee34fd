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

  /** Look at what is laid out; with `far`, at all, which lays out the whole page (see site.css). */
  function reachAll(far) {
    const among = (selector) =>
      [...document.querySelectorAll(selector)].filter(
        (box) => far || !box.checkVisibility || box.checkVisibility({ contentVisibilityAuto: true })
      );
    for (const formula of among("span.math")) {
      formula.classList.remove("math-wide");
      const column = formula.closest("p, li, dd, td, th, div");
      if (column && formula.getBoundingClientRect().width > column.clientWidth) formula.classList.add("math-wide");
    }
    for (const [selector, name] of Object.entries(BOXES)) {
      for (const box of among("main " + selector)) {
        if (!box.matches("span.math:not(.math-wide)")) reach(box, name);
      }
    }
  }

  const LATER = 10000; // milliseconds after which a page that is still open looks at what nobody has come near
  let waiting = 0;
  let later = 0;
  let keys = false; // a key was pressed since the window had another size

  function soon() {
    clearTimeout(waiting);
    waiting = setTimeout(reachAll, 350);
  }
  function anew() {
    soon();
    keys = false;
    clearTimeout(later);
    later = setTimeout(reachAll, LATER, true);
  }
  addEventListener("load", anew);
  addEventListener("resize", anew);
  document.addEventListener("contentvisibilityautostatechange", soon, true); // a section comes near
  if (document.fonts) document.fonts.ready.then(soon);
  // Tab is to find the right boxes wherever it leads.
  addEventListener("keydown", function () {
    if (!keys) reachAll(true);
    keys = true;
  }, true);

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
