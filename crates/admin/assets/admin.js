// Progressive enhancement: every page works without this script.
(function () {
  "use strict";
  document.documentElement.classList.add("js");

  // Times in the zone of the viewer; the shop's own time stays as a tooltip.
  var format = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  document.querySelectorAll("time[datetime]").forEach(function (element) {
    var at = new Date(element.dateTime);
    if (isNaN(at)) return;
    element.title = element.textContent;
    element.textContent = format.format(at);
  });

  // The list of errors gets the focus, so that it is read first.
  var errors = document.querySelector("[data-focus]");
  if (errors) errors.focus();

  // A checkbox in the heading of a table ticks all rows.
  document.querySelectorAll("input[data-select-all]").forEach(function (all) {
    var rows = function () {
      return document.querySelectorAll('input[type=checkbox][name="' + all.dataset.selectAll + '"]');
    };
    all.addEventListener("change", function () {
      rows().forEach(function (row) { row.checked = all.checked; });
    });
    document.addEventListener("change", function (event) {
      if (event.target.name !== all.dataset.selectAll) return;
      var boxes = Array.from(rows());
      all.checked = boxes.length > 0 && boxes.every(function (row) { return row.checked; });
      all.indeterminate = !all.checked && boxes.some(function (row) { return row.checked; });
    });
  });

  document.querySelectorAll("[data-print]").forEach(function (button) {
    button.addEventListener("click", function () { window.print(); });
  });

  // A form is sent once, however often its button is pressed.
  document.querySelectorAll('form[method="post"]').forEach(function (form) {
    form.addEventListener("submit", function (event) {
      if (form.dataset.sent) { event.preventDefault(); return; }
      form.dataset.sent = "1";
    });
  });
  window.addEventListener("pageshow", function () {
    document.querySelectorAll("form[data-sent]").forEach(function (form) { delete form.dataset.sent; });
  });

  var dialog = document.getElementById("shortcuts");
  document.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    var target = event.target;
    if (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) return;
    if (event.key === "/") {
      var search = document.querySelector("input[type=search]");
      if (search) { event.preventDefault(); search.focus(); search.select(); }
    } else if (event.key === "?" && dialog && dialog.showModal && !dialog.open) {
      event.preventDefault();
      dialog.showModal();
    }
  });
})();
