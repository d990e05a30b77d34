"use strict";
// The list of theorems, and the searches of the one that is chosen.
(() => {
  const RESULT = { proved: "proved", budget: "budget spent", exhausted: "exhausted" };
  const SHOWN = 110; // characters of a statement or proof in a table
  const OPENS = "DecompressionStream" in window; // whether the browser can unpack a tree

  const brief = (text) => {
    const line = text.replace(/\s+/g, " ");
    return line.length > SHOWN ? `${line.slice(0, SHOWN)}…` : line;
  };
  const figure = (value) => element("td", { class: "number" }, value === undefined ? "–" : value.toLocaleString("en"));

  const rows = DATA.theorems.map((theorem) => {
    const proofs = theorem.searches.filter((search) => search.status === "proved");
    const open = element("button", { type: "button", class: "link" }, theorem.name);
    open.addEventListener("click", () => show(theorem));
    const count = element("td", { class: "number" }, theorem.unsupported ? "unsupported" : `${proofs.length} of ${theorem.searches.length}`);
    const row = element(
      "tr",
      {},
      element("th", { scope: "row" }, open),
      element("td", {}, element("code", {}, brief(theorem.statement))),
      count,
      figure(d3.min(proofs, (search) => search.expansions)),
    );
    const kind = theorem.unsupported ? "unsupported"
      : proofs.length === 0 ? "none" : proofs.length === theorem.searches.length ? "all" : "some";
    return { row, kind, text: `${theorem.name} ${theorem.statement}`.toLowerCase() };
  });

  function filter() {
    const words = $("search").value.toLowerCase().split(/\s+/);
    let shown = 0;
    for (const { row, kind, text } of rows) {
      row.hidden = !(words.every((word) => text.includes(word)) && (!$("filter").value || $("filter").value === kind));
      shown += !row.hidden;
    }
    $("shown").value = `${shown} of ${rows.length} theorems`;
    $("none").hidden = shown > 0;
  }

  let wanted = null; // the search whose tree is to be seen

  function show(theorem) {
    $("theorem").hidden = false;
    $("theorem-name").textContent = theorem.name;
    $("theorem-statement").textContent = theorem.statement;
    $("theorem-unsupported").textContent = theorem.unsupported ? `Not supported by the engine: ${theorem.unsupported}` : "";
    $("search-table").tBodies[0].replaceChildren(...theorem.searches.map((search) => searchRow(theorem, search)));
    for (const header of $("search-table").tHead.rows[0].cells) header.removeAttribute("aria-sort");
    if (!OPENS) $("theorem-unsupported").textContent += " This browser cannot open search trees, as it has no DecompressionStream: take a newer one.";
    const first = OPENS && d3.least(theorem.searches.filter((search) => search.tree !== null), (search) =>
      search.status === "proved" ? search.expansions : Infinity);
    $("tree-section").hidden = true;
    wanted = null;
    if (first) showTree(theorem, first);
    $("theorem").scrollIntoView();
    $("theorem-name").focus({ preventScroll: true });
  }

  function searchRow(theorem, search) {
    const cell = DATA.cells[search.cell];
    const open = element("button", { type: "button", "aria-label": `Show the tree of ${cell.member}, ${cell.strategy}` }, "show");
    open.addEventListener("click", async () => {
      await showTree(theorem, search);
      $("tree-section").scrollIntoView();
      $("tree-name").focus({ preventScroll: true });
    });
    return element(
      "tr",
      {},
      element("th", { scope: "row" }, cell.member),
      element("td", {}, cell.strategy),
      element("td", { class: "number" }, String(search.seed)),
      element("td", {}, element("span", { class: `badge ${search.status}` }, RESULT[search.status] ?? search.status)),
      figure(search.expansions),
      element("td", {}, element("code", {}, brief(search.proof.join("; ")))),
      element("td", {}, search.tree === null || !OPENS ? "–" : open),
    );
  }

  async function showTree(theorem, search) {
    const cell = DATA.cells[search.cell];
    wanted = search;
    const record = await decoded(search.tree);
    if (wanted !== search) return; // another one was asked for meanwhile
    $("tree-section").hidden = false;
    $("tree-name").textContent = `Search tree: ${theorem.name}, ${cell.member}, ${cell.strategy}, seed ${search.seed}`;
    const failed = record.edges.filter((edge) => edge.target === null && edge.outcome !== "proved").length;
    const merged = record.edges.filter((edge) => edge.outcome === "merged").length;
    $("tree-says").textContent =
      `${record.nodes.length.toLocaleString("en")} states, ${record.edges.length.toLocaleString("en")} different steps, of which ` +
      `${failed.toLocaleString("en")} failed and ${merged.toLocaleString("en")} led to a known state.`;
    TREE.show(record);
  }

  $("theorem-table").tBodies[0].append(...rows.map(({ row }) => row));
  $("search").addEventListener("input", filter);
  $("filter").addEventListener("change", filter);
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !["INPUT", "SELECT", "TEXTAREA"].includes(document.activeElement.tagName)) {
      event.preventDefault();
      $("search").focus();
    }
  });
  filter();
})();
