"use strict";
// Sorting, searching and filtering of the table. The page is whole without it.
const $ = (id) => document.getElementById(id);
const body = $("table").tBodies[0];
const rows = [...body.rows];
const text = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));

function show() {
  const words = $("search").value.toLowerCase().split(/\s+/);
  const outcome = $("outcome").value;
  let shown = 0;
  for (const row of rows) {
    const match = (!outcome || row.dataset.outcome === outcome) && words.every((word) => text.get(row).includes(word));
    row.hidden = !match;
    shown += match;
  }
  $("shown").value = `${shown} of ${rows.length} theorems`;
  $("none").hidden = shown > 0;
}

function sortBy(column, header) {
  const descending = header.getAttribute("aria-sort") === "ascending";
  for (const other of header.parentNode.cells) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", descending ? "descending" : "ascending");
  const numeric = header.classList.contains("number");
  const value = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
  const compare = numeric
    ? (a, b) => Number(value(a)) - Number(value(b))
    : (a, b) => value(a).localeCompare(value(b), "en", { numeric: true });
  rows.sort((a, b) => (descending ? compare(b, a) : compare(a, b)));
  body.append(...rows);
}

[...$("table").tHead.rows[0].cells].forEach((header, column) => {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...header.childNodes);
  button.addEventListener("click", () => sortBy(column, header));
  header.append(button);
});

$("search").addEventListener("input", show);
$("outcome").addEventListener("change", show);
$("controls").addEventListener("submit", (event) => event.preventDefault());
$("unfold").addEventListener("click", () => {
  const open = $("unfold").getAttribute("aria-pressed") !== "true";
  $("unfold").setAttribute("aria-pressed", String(open));
  for (const details of body.querySelectorAll("details")) details.open = open;
});
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !["INPUT", "SELECT", "TEXTAREA"].includes(document.activeElement.tagName)) {
    event.preventDefault();
    $("search").focus();
  }
});
$("controls").hidden = false;
show();
