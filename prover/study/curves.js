"use strict";
// The curves, by Observable Plot: the members with one strategy, or the strategies of one member.
(() => {
  const distinct = (side) => [...new Set(DATA.cells.map((cell) => cell[side]))];
  const OTHER = { member: "strategy", strategy: "member" };
  const LABEL = { member: "with the strategy", strategy: "of the member" };
  const DASHES = ["none", "6 3", "2 3", "8 3 2 3"];

  function choose() {
    const lines = $("lines").value;
    $("fixed-label").textContent = LABEL[lines];
    $("fixed").replaceChildren(...distinct(OTHER[lines]).map((name) => element("option", {}, name)));
    draw();
  }

  function draw() {
    const [lines, fixed] = [$("lines").value, $("fixed").value];
    const names = distinct(lines);
    const rows = DATA.cells.flatMap((cell, place) =>
      cell[OTHER[lines]] !== fixed ? [] : DATA.curves[place].map(([x, y, low, high]) => ({ name: cell[lines], x, y, low, high })),
    );
    const shown = names.filter((name) => rows.some((row) => row.name === name));
    const colour = (name) => DATA.colours[names.indexOf(name) % DATA.colours.length];
    const dash = (name) => DASHES[Math.floor(names.indexOf(name) / DATA.colours.length) % DASHES.length];
    const chart = Plot.plot({
      width: Math.max(320, $("chart").clientWidth),
      height: 380,
      marginLeft: 48,
      marginTop: 34,
      marginBottom: 44,
      ariaLabel: "Theorems proved against expansions",
      ariaDescription: `Lines: ${shown.join("; ")}. ${LABEL[lines]} ${fixed}`,
      x: { type: "log", base: 2, label: "expansions a theorem →", tickFormat: "~s", ticks: 8 },
      y: { label: "↑ proved and verified, %", grid: true, zero: true, nice: true },
      color: { type: "ordinal", domain: shown, range: shown.map(colour) },
      marks: [
        Plot.ruleY([0]),
        Plot.areaY(rows, { x: "x", y1: "low", y2: "high", fill: "name", fillOpacity: 0.1, ariaHidden: "true" }),
        ...shown.map((name) =>
          Plot.lineY(
            rows.filter((row) => row.name === name),
            { x: "x", y: "y", stroke: "name", strokeWidth: 2.2, strokeDasharray: dash(name) },
          ),
        ),
        Plot.tip(
          rows,
          Plot.pointer({
            x: "x",
            y: "y",
            stroke: "name",
            fill: "var(--card)",
            title: (row) => `${row.name}\n${row.y.toFixed(1)} % [${row.low.toFixed(1)}, ${row.high.toFixed(1)}]\n${row.x} expansions`,
          }),
        ),
      ],
    });
    chart.setAttribute("role", "img");
    const legend = element("ul", { class: "legend" });
    for (const name of shown) {
      const swatch = d3.create("svg").attr("width", 26).attr("height", 10).attr("aria-hidden", "true");
      swatch.append("line").attr("x2", 26).attr("y1", 5).attr("y2", 5).attr("stroke", colour(name)).attr("stroke-width", 3)
        .attr("stroke-dasharray", dash(name));
      legend.append(element("li", {}, swatch.node(), name));
    }
    $("chart").replaceChildren(legend, chart);
  }

  $("lines").addEventListener("change", choose);
  $("fixed").addEventListener("change", draw);
  let width = 0;
  new ResizeObserver(() => {
    if ($("chart").clientWidth !== width) draw();
    width = $("chart").clientWidth;
  }).observe($("chart"));
  choose();
})();
