// Remembers the colours that were chosen; says to the style sheet that there is a script.
(function () {
  "use strict";
  var root = document.documentElement;
  root.classList.add("js");

  var colours = document.getElementById("colours");
  var asked = window.matchMedia("(prefers-color-scheme: dark)");
  function stored(value) {
    try {
      if (value !== undefined) { localStorage.setItem("corslint-colours", value); }
      return localStorage.getItem("corslint-colours");
    } catch (error) {
      return null; // a page from a file may have no storage
    }
  }
  function isDark() {
    return root.dataset.colours ? root.dataset.colours === "dark" : asked.matches;
  }
  function say() { colours.setAttribute("aria-pressed", String(isDark())); }
  if (stored() === "dark" || stored() === "light") { root.dataset.colours = stored(); }
  colours.addEventListener("click", function () {
    root.dataset.colours = isDark() ? "light" : "dark";
    stored(root.dataset.colours);
    say();
  });
  asked.addEventListener("change", say);
  say();
})();
