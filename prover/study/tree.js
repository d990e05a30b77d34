"use strict";
// A search tree, gone through by d3-hierarchy and moved by d3-zoom. Only what is unfolded has a place, and only what is in
// view is drawn, so that trees of ten thousand states stay quick.

// The tree that the page holds at `place`, as search.tree.Tree.to_dict gave it.
async function decoded(place) {
  const bytes = Uint8Array.from(atob($(`blob-${place}`).textContent), (letter) => letter.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).json();
}

const TREE = (() => {
  const [ROW, COLUMN, PAGE, TEXT] = [40, 260, 40, 32]; // px, px, children at a time, characters
  const [LETTER, MARK] = [7.3, 18]; // px: of a title, and what stands before it
  const SCALES = [0.15, 4]; // so far out that some two thousand steps are in view
  const SIGN = { root: "●", state: "●", proved: "✓", merged: "↪", failed: "✗", failures: "✗", more: "…" };

  const svg = d3.select("#tree");
  const canvas = svg.append("g").attr("role", "none");
  const lines = canvas.append("g").attr("aria-hidden", "true");
  const marks = canvas.append("g").attr("role", "none");

  let record; // what is shown
  let steps; // of every state, the indices of the edges that leave it
  let wayTo; // of every state but the root, the index of the edge by which the drawing reaches it
  let root; // the item of the theorem
  let order = []; // the unfolded items with their places, from above
  let current; // the item that the keyboard is at

  // ---- What there is: an item for each step, made when its parent is unfolded

  // States hang where their best path comes from. Where best paths run in circles, where they were found first.
  function ways() {
    for (const leads of [(edge) => edge.best, (edge) => edge.outcome === "new"]) {
      const way = new Map();
      record.edges.forEach((edge, place) => {
        if (edge.target !== null && edge.target !== 0 && leads(edge) && !way.has(edge.target)) way.set(edge.target, place);
      });
      const reached = [0];
      for (const state of reached) {
        for (const place of steps[state]) if (way.get(record.edges[place].target) === place) reached.push(record.edges[place].target);
      }
      if (reached.length === record.nodes.length) return way;
    }
    throw new Error("the tree has states that nothing leads to");
  }

  function stepItem(place, parent) {
    const edge = record.edges[place];
    const drawn = edge.target !== null && wayTo.get(edge.target) === place;
    const kind = drawn ? "state" : edge.target !== null ? "merged" : edge.outcome === "proved" ? "proved" : "failed";
    return { key: `e${place}`, kind, edge, parent, state: drawn ? edge.target : null, proof: edge.in_proof, open: false, limit: PAGE };
  }

  function children(item) {
    if (item.all === undefined) {
      if (item.state === null) return [];
      const all = steps[item.state].map((place) => stepItem(place, item));
      const failed = all.filter((step) => step.kind === "failed");
      item.all = all
        .filter((step) => step.kind !== "failed")
        .sort((a, b) => b.proof - a.proof || b.edge.log_prob - a.edge.log_prob);
      if (failed.length > 1) {
        const group = { key: `f${item.key}`, kind: "failures", parent: item, state: null, proof: false, open: false, limit: PAGE };
        for (const step of failed) step.parent = group;
        group.all = failed;
        item.all.push(group);
      } else item.all.push(...failed);
    }
    return item.all;
  }

  function unfolded(item) {
    if (!item.open) return null;
    const all = children(item);
    if (all.length <= item.limit) return all;
    const more = { key: `m${item.key}`, kind: "more", parent: item, state: null, proof: false, all: [], left: all.length - item.limit };
    return [...all.slice(0, item.limit), more];
  }

  // ---- What it says

  const first = (text) => {
    const line = text.trim().split("\n")[0];
    return line.length > TEXT || line !== text.trim() ? `${line.slice(0, TEXT)}…` : line;
  };
  const chance = (edge) => `p ${Math.exp(edge.log_prob).toPrecision(2)}`;
  const tried = (item) => (steps[item.state].length ? `${steps[item.state].length} tried` : "not expanded");

  function title(item) {
    if (item.kind === "root") return "the theorem";
    if (item.kind === "failures") return `${item.all.length} failed`;
    if (item.kind === "more") return `${item.left} more`;
    return first(item.edge.tactic) || "(no tactic)";
  }

  function subtitle(item) {
    if (item.kind === "root") return tried(item);
    if (item.kind === "state") return `${chance(item.edge)}, ${tried(item)}`;
    if (item.kind === "merged") return `${chance(item.edge)}, state ${item.edge.target} again`;
    if (item.kind === "proved") return `${chance(item.edge)}, no goal left`;
    if (item.kind === "failed") return `${chance(item.edge)}, ${item.edge.outcome}`;
    return "";
  }

  const spoken = (item) =>
    `${title(item)}${item.kind === "failed" ? ", failed" : ""}, ${subtitle(item)}${item.proof ? ", on the path of the proof" : ""}`;

  function tactics(item) {
    const path = [];
    for (let step = item; step; step = step.parent) if (step.edge) path.unshift(step.edge.tactic);
    return path;
  }

  function detail(item) {
    const parts = [];
    const add = (heading, ...content) => parts.push(element("h3", {}, heading), ...content);
    const text = (content) => element("pre", {}, content);
    const { edge } = item;
    if (edge) {
      add("Tactic", text(edge.tactic));
      add("Log-probability", element("p", {}, `${edge.log_prob.toFixed(3)} (${chance(edge)}); Lean took ${(1000 * edge.lean_s).toFixed(0)} ms`));
      if (item.kind === "failed") add(`Failed: ${edge.outcome}`, text(edge.message || "Lean gave no reason."));
      if (item.kind === "proved") add(edge.in_proof ? "Proved, and verified" : "Proved", element("p", {}, "No goal is left."));
    }
    const state = item.state ?? edge?.target ?? null;
    if (state !== null) {
      const node = record.nodes[state];
      add(state === 0 ? "Goals of the theorem" : `Goals of state ${state}`, text(node.text));
      add("State", element("p", {},
        `depth ${node.depth}, summed log-probability ${node.sum_log_prob.toFixed(3)}, score ${node.score.toFixed(3)}, ` +
        `${node.expansions} steps tried${node.exhausted ? ", exhausted" : ""}`));
    }
    if (item.kind === "merged") {
      const go = element("button", { type: "button" }, `Go to state ${edge.target}`);
      go.addEventListener("click", () => reveal(edge.target));
      parts.push(go);
    }
    if (item.kind === "failures") {
      const kinds = d3.rollups(item.all, (group) => group.length, (step) => step.edge.outcome);
      add("Failed", element("p", {}, kinds.map(([kind, count]) => `${count} ${kind}`).join(", ")));
    }
    if (edge && tactics(item).length > 1) add("From the theorem on", text(tactics(item).join("\n")));
    $("detail").replaceChildren(...parts);
    $("detail").scrollTop = 0;
  }

  // ---- Where it is

  // Every item is level with its first child, so that a proof, which comes first, runs straight along the top, and
  // unfolding moves nothing but what is below.
  function place() {
    let rows = 0;
    const items = d3.hierarchy(root, unfolded).eachAfter((node) => {
      node.x = node.children ? node.children[0].x : ROW * rows++;
      node.y = COLUMN * node.depth;
    });
    order = [];
    items.eachBefore((node) => order.push(node));
    render();
  }

  const placeOf = (item) => order.find((node) => node.data.key === item.key);
  const isOpen = (item) => item.open && children(item).length > 0;
  const className = (node) => `step ${node.data.kind}${node.data.proof ? " proof" : ""}${isOpen(node.data) ? " open" : ""}`;

  function render() {
    const view = d3.zoomTransform(svg.node());
    const { clientWidth: width, clientHeight: height } = svg.node();
    const [left, right] = [view.invertX(0) - COLUMN, view.invertX(width) + 20];
    const [top, bottom] = [view.invertY(0) - ROW, view.invertY(height) + ROW];
    const seen = order.filter((node) =>
      node.data.key === current.key || (node.y > left && node.y < right && node.x > top && node.x < bottom));
    const crossing = order.filter(({ parent, x, y }) =>
      parent && y > left && parent.y < right && Math.max(x, parent.x) > top && Math.min(x, parent.x) < bottom);

    lines.selectAll("path").data(crossing, (node) => node.data.key).join("path")
      .attr("class", (node) => (node.data.proof ? "proof" : null))
      .attr("d", ({ parent, x, y }) =>
        d3.linkHorizontal()({ source: [parent.y + MARK + LETTER * title(parent.data).length, parent.x], target: [y, x] }));

    const step = marks.selectAll("g").data(seen, (node) => node.data.key).join((enter) => {
      const group = enter.append("g").attr("role", "treeitem");
      group.append("circle").attr("r", 7).attr("aria-hidden", "true");
      group.append("text").attr("class", "sign").attr("dy", "0.35em").attr("aria-hidden", "true");
      group.append("text").attr("class", "title").attr("x", 13).attr("dy", "0.35em").attr("aria-hidden", "true");
      group.append("text").attr("class", "subtitle").attr("x", 13).attr("dy", "1.6em").attr("aria-hidden", "true");
      return group;
    });
    step
      .attr("class", className)
      .attr("transform", (node) => `translate(${node.y},${node.x})`)
      .attr("aria-label", (node) => spoken(node.data))
      .attr("aria-level", (node) => node.depth + 1)
      .attr("aria-setsize", (node) => (node.parent ? node.parent.children.length : 1))
      .attr("aria-posinset", (node) => (node.parent ? node.parent.children.indexOf(node) + 1 : 1))
      .attr("aria-expanded", (node) => (children(node.data).length ? String(node.data.open) : null))
      .attr("aria-selected", (node) => String(node.data.key === current.key))
      .attr("tabindex", (node) => (node.data.key === current.key ? 0 : -1));
    step.select(".sign").text((node) => (isOpen(node.data) || !"root state".includes(node.data.kind) ? SIGN[node.data.kind] : ""));
    step.select(".title").text((node) => title(node.data));
    step.select(".subtitle").text((node) => subtitle(node.data));
    step.order();
  }

  // ---- What one does with it

  let scheduled = false;
  const zoom = d3.zoom().scaleExtent(SCALES)
    .filter((event) => (event.type === "wheel" ? event.ctrlKey || event.metaKey : !event.button))
    .on("zoom", ({ transform }) => {
      canvas.attr("transform", transform);
      if (!scheduled) requestAnimationFrame(() => { scheduled = false; render(); });
      scheduled = true;
    });
  svg.call(zoom).on("dblclick.zoom", null);

  function choose(item, { focus }) {
    current = item;
    detail(item);
    const node = placeOf(item);
    const { clientWidth: width, clientHeight: height } = svg.node();
    const [x, y] = d3.zoomTransform(svg.node()).apply([node.y, node.x]);
    const inside = (value, low, high) => Math.min(Math.max(value, low), Math.max(low, high));
    const [toX, toY] = [inside(x, 30, width - COLUMN), inside(y, 30, height - 30)];
    if (toX !== x || toY !== y) {
      const scale = d3.zoomTransform(svg.node()).k;
      svg.call(zoom.translateBy, (toX - x) / scale, (toY - y) / scale);
    }
    render();
    if (focus) svg.select("[tabindex='0']").node().focus({ preventScroll: true });
  }

  function toggle(item, open = !item.open) {
    if (item.kind === "more") {
      const from = item.parent.limit;
      item.parent.limit += PAGE;
      place();
      return choose(item.parent.all[from], { focus: true });
    }
    item.open = open && children(item).length > 0;
    place();
    return choose(item, { focus: true });
  }

  // Unfold down to a state, and go there.
  function reveal(state) {
    const way = [];
    for (let at = state; at !== 0; at = record.edges[wayTo.get(at)].source) way.unshift(at);
    let item = root;
    for (const next of way) {
      const found = children(item).findIndex((step) => step.state === next);
      item.limit = Math.max(item.limit, found + 1);
      item.open = true;
      item = item.all[found];
    }
    place();
    choose(item, { focus: true });
  }

  function unfoldProof() {
    const waiting = [root];
    for (const item of waiting) {
      item.open = children(item).length > 0;
      waiting.push(...children(item).filter((step) => step.proof));
    }
    place();
  }

  function fit() {
    const { clientWidth: width, clientHeight: height } = svg.node();
    const [right, bottom] = [d3.max(order, (node) => node.y) + COLUMN, d3.max(order, (node) => node.x) + 2 * ROW];
    const scale = Math.max(Math.min(1, (width - 30) / right, height / bottom), 0.7); // what is smaller cannot be read
    svg.call(zoom.transform, d3.zoomIdentity.translate(20, 30).scale(scale));
    render();
  }

  svg.on("click", (event) => {
    const group = event.target.closest("[role=treeitem]");
    if (group) toggle(d3.select(group).datum().data);
  });

  svg.on("keydown", (event) => {
    const at = order.indexOf(placeOf(current));
    const go = (node) => node && choose(node.data, { focus: true });
    const keys = {
      ArrowDown: () => go(order[at + 1]),
      ArrowUp: () => go(order[at - 1]),
      ArrowRight: () => (isOpen(current) ? go(order[at + 1]) : children(current).length && toggle(current, true)),
      ArrowLeft: () => (isOpen(current) ? toggle(current, false) : go(order[at].parent)),
      Home: () => go(order[0]),
      End: () => go(order.at(-1)),
      Enter: () => toggle(current),
      " ": () => toggle(current),
      "+": () => svg.call(zoom.scaleBy, 1.3),
      "-": () => svg.call(zoom.scaleBy, 1 / 1.3),
    };
    if (keys[event.key] && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      keys[event.key]();
    }
  });

  $("unfold-proof").addEventListener("click", () => { unfoldProof(); fit(); });
  $("unfold-level").addEventListener("click", () => {
    for (const { data } of order) if (data.kind === "root" || data.kind === "state") data.open = children(data).length > 0;
    place();
    fit();
  });
  $("fold-all").addEventListener("click", () => show(record, false));
  $("zoom-in").addEventListener("click", () => svg.call(zoom.scaleBy, 1.3));
  $("zoom-out").addEventListener("click", () => svg.call(zoom.scaleBy, 1 / 1.3));
  $("zoom-fit").addEventListener("click", fit);

  // Show a tree, unfolded along its proof if it has one.
  function show(shown, unfold = true) {
    record = shown;
    steps = record.nodes.map(() => []);
    record.edges.forEach((edge, place) => steps[edge.source].push(place));
    wayTo = ways();
    root = { key: "root", kind: "root", parent: null, state: 0, proof: record.edges.some((edge) => edge.in_proof), open: true, limit: PAGE };
    current = root;
    $("unfold-proof").disabled = !root.proof;
    if (unfold && root.proof) unfoldProof();
    else place();
    fit();
    choose(root, { focus: false });
  }

  return { show };
})();
