// The page is whole without this: it filters and sorts the repositories.
(function () {
  "use strict";
  function byId(id) { return document.getElementById(id); }
  var list = byId("list");
  if (!list) { return; }
  var body = list.tBodies[0];
  var rows = Array.prototype.slice.call(body.rows);
  var rule = byId("rule"), change = byId("change"), by = byId("by"), words = byId("words"), shown = byId("shown");
  var names = rows.map(function (row) { return row.querySelector(".name").textContent.toLowerCase(); });

  function filter() {
    var wanted = words.value.trim().toLowerCase(), count = 0;
    rows.forEach(function (row, at) {
      var set = row.dataset;
      row.hidden = Boolean(
        (rule.value && set.rules.split(" ").indexOf(rule.value) < 0) ||
        (change.value === "worse" && set.new === "0") || (change.value === "better" && set.gone === "0") ||
        (wanted && names[at].indexOf(wanted) < 0)
      );
      if (!row.hidden) { count += 1; }
    });
    shown.textContent = count === rows.length ? "All " + count + " shown" : count + " of " + rows.length + " shown";
  }
  function sort() {
    var order = rows.map(function (row, at) { return at; }); // as they came: the gravest first
    if (by.value === "new") { order.sort(function (a, b) { return rows[b].dataset.new - rows[a].dataset.new || a - b; }); }
    if (by.value === "name") { order.sort(function (a, b) { return names[a] < names[b] ? -1 : names[a] > names[b] ? 1 : a - b; }); }
    order.forEach(function (at) { body.appendChild(rows[at]); });
  }
  [rule, change].forEach(function (one) { one.addEventListener("change", filter); });
  words.addEventListener("input", filter);
  by.addEventListener("change", sort);

  function show(wanted) {
    rule.value = wanted;
    change.value = "";
    words.value = "";
    filter();
  }
  document.addEventListener("click", function (event) {
    var link = event.target.closest && event.target.closest("a[href^='#']");
    if (!link) { return; }
    if (link.dataset.rule) { // from a rule to its repositories
      show(link.dataset.rule);
      byId("repositories").focus({ preventScroll: true });
    } else { // to a repository, which the filters may hide
      var at = byId(link.hash.slice(1));
      if (at && at.hidden) { show(""); }
    }
  });
  // What was chosen before the page was loaded again counts still.
  filter();
  sort();
})();
