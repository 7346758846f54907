// The page is whole without this: it filters and groups.
(function () {
  "use strict";

  function byId(id) { return document.getElementById(id); }
  function all(selector, within) { return Array.prototype.slice.call((within || document).querySelectorAll(selector)); }

  var list = byId("list");
  if (!list) { return; }

  // --- filters ---
  var findings = all(".finding", list);
  var groups = all(".group", list);
  var home = findings.map(function (finding) { return finding.parentNode; });
  var texts = findings.map(function (finding) { return null; });
  var boxes = all(".filters input[type=checkbox]");
  var rule = byId("rule"), words = byId("words"), by = byId("by"), shown = byId("shown");

  function text(at) {
    if (texts[at] === null) {
      texts[at] = (all("h4, .at, .rule", findings[at]).map(function (one) { return one.textContent; }).join(" ")).toLowerCase();
    }
    return texts[at];
  }
  function filter() {
    var off = {}, wanted = words.value.trim().toLowerCase(), count = 0;
    boxes.forEach(function (box) { if (!box.checked) { off[box.id.slice(5)] = true; } });
    findings.forEach(function (finding, at) {
      var set = finding.dataset;
      var hide = off[set.severity] || off[set.effect] || (rule.value && set.rule !== rule.value) ||
        (wanted && text(at).indexOf(wanted) < 0);
      finding.hidden = Boolean(hide);
      if (!hide) { count += 1; }
    });
    all(".group", list).forEach(function (group) { group.hidden = !group.querySelector(".finding:not([hidden])"); });
    shown.textContent = count === findings.length ? "All " + count + " shown" : count + " of " + findings.length + " shown";
  }
  function clear() {
    boxes.forEach(function (box) { box.checked = true; });
    rule.value = "";
    words.value = "";
    filter();
  }
  boxes.forEach(function (box) { box.addEventListener("change", filter); });
  rule.addEventListener("change", filter);
  words.addEventListener("input", filter);

  // --- groups ---
  var byRule = null;
  function ruleGroups() {
    var made = {};
    findings.forEach(function (finding) {
      var name = finding.dataset.rule;
      if (!made[name]) {
        var group = document.createElement("section"), head = document.createElement("h3");
        group.className = "group";
        head.appendChild(document.createElement("code")).textContent = name;
        var count = head.appendChild(document.createElement("span"));
        count.className = "count";
        group.appendChild(head);
        made[name] = { group: group, count: count, members: 0 };
      }
      made[name].members += 1;
    });
    Object.keys(made).forEach(function (name) {
      made[name].count.textContent = made[name].members + (made[name].members === 1 ? " finding" : " findings");
    });
    return made;
  }
  by.addEventListener("change", function () {
    list.textContent = "";
    if (by.value === "rule") {
      byRule = byRule || ruleGroups();
      findings.forEach(function (finding) { byRule[finding.dataset.rule].group.appendChild(finding); });
      Object.keys(byRule).sort().forEach(function (name) { list.appendChild(byRule[name].group); });
    } else {
      findings.forEach(function (finding, at) { home[at].appendChild(finding); });
      groups.forEach(function (group) { list.appendChild(group); });
    }
    filter();
  });

  // --- sources ---
  var fold = byId("fold"), sources = all(".finding details", list);
  function anyOpen() { return sources.some(function (one) { return one.open; }); }
  function label() { fold.textContent = anyOpen() ? "Close all sources" : "Open all sources"; }
  fold.hidden = sources.length === 0;
  fold.addEventListener("click", function () {
    var open = !anyOpen();
    sources.forEach(function (one) { one.open = open; });
    label();
  });

  // --- from the picture to a finding ---
  function arrive() {
    var at = location.hash.length > 1 && byId(decodeURIComponent(location.hash.slice(1)));
    if (!at || !at.classList.contains("finding")) { return; }
    if (at.hidden) { clear(); }
    all("details", at).forEach(function (one) { one.open = true; });
    at.focus({ preventScroll: true });
    at.scrollIntoView();
    // What lay outside the window had only a guessed size: once it is laid out, the place may be another.
    requestAnimationFrame(function () { requestAnimationFrame(function () { at.scrollIntoView(); }); });
  }
  window.addEventListener("hashchange", arrive);
  filter();
  label();
  arrive();
})();
