"use strict";
// What the page's scripts share, and the sorting of every table. The tables are whole without it.
const $ = (id) => document.getElementById(id);
const DATA = JSON.parse($("data").textContent);

// An element with attributes and children; texts become text nodes, so that no theorem or tactic is ever markup.
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// The first number of a cell ("28.1 [25.0, 31.4]" is 28.1); cells without one come last whichever way.
const number = (cell) => Number.parseFloat(cell.textContent.replaceAll(",", ""));

function sortBy(table, column, header) {
  const descending = header.getAttribute("aria-sort") === "ascending";
  for (const other of header.parentNode.cells) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", descending ? "descending" : "ascending");
  const sign = descending ? -1 : 1;
  const compare = header.classList.contains("number")
    ? (a, b) => {
        const [x, y] = [number(a.cells[column]), number(b.cells[column])];
        return Number.isNaN(x) - Number.isNaN(y) || sign * (x - y) || 0;
      }
    : (a, b) => sign * a.cells[column].textContent.localeCompare(b.cells[column].textContent, "en", { numeric: true });
  const body = table.tBodies[0];
  body.append(...[...body.rows].sort(compare));
}

for (const table of document.querySelectorAll("table.sortable")) {
  [...table.tHead.rows[0].cells].forEach((header, column) => {
    const button = element("button", { type: "button" }, ...header.childNodes);
    button.addEventListener("click", () => sortBy(table, column, header));
    header.append(button);
  });
}

for (const form of document.querySelectorAll("form")) form.addEventListener("submit", (event) => event.preventDefault());
