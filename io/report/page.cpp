// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "io/report/page.hpp"

#include "io/report/svg.hpp"

namespace chorale::io::report {
namespace {

/// Series colours s0 … s7: Okabe and Ito's colour-blind safe set (jfly.uni-koeln.de/color) and an olive, lightened where the dark
/// page asks for it; curves differ by dash as well, so that print in grey still tells them apart.
constexpr const char* style = R"css(
:root { color-scheme: light dark; --page: #fff; --ink: #1c2024; --soft: #5a626b; --rule: #d9dde2; --tint: #f4f6f8;
  --s0: #0072b2; --s1: #d55e00; --s2: #009e73; --s3: #cc79a7; --s4: #9a6a00; --s5: #3f8fc4; --s6: #444; --s7: #76801b; }
@media (prefers-color-scheme: dark) { :root { --page: #14171a; --ink: #e6e9ec; --soft: #a3acb5; --rule: #353c43;
  --tint: #1d2226; --s0: #56b4e9; --s1: #ff9a4d; --s2: #2fcf9f; --s3: #e6a3c8; --s4: #e9c04a; --s5: #9ad0f5; --s6: #ddd; --s7: #c5d45a; } }
body { margin: 0 auto; padding: 1.5rem 1.25rem 4rem; max-width: 68rem; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .4rem; }
h2 { font-size: 1.25rem; margin: 2.4rem 0 .6rem; padding-top: .6rem; border-top: 1px solid var(--rule); }
.lead { font-size: 1.05rem; max-width: 46rem; }
nav { font-size: .9rem; color: var(--soft); margin: 1rem 0; }
nav a { display: inline-block; margin-right: 1rem; }
a { color: var(--s0); }
.wide { overflow-x: auto; margin: .8rem 0 .3rem; }
table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--soft); padding-bottom: .4rem; max-width: min(46rem, calc(100vw - 2rem)); }
th, td { padding: .28rem .65rem; border-bottom: 1px solid var(--rule); text-align: left; vertical-align: bottom; }
td { white-space: nowrap; }
.facts td { white-space: normal; overflow-wrap: anywhere; vertical-align: top; }
.facts th { color: var(--soft); font-weight: 500; vertical-align: top; }
thead th { background: var(--tint); border-bottom: 2px solid var(--rule); }
th small { display: block; font-weight: 400; color: var(--soft); }
.n { text-align: right; }
th[aria-sort] { text-decoration: underline; }
.note, figcaption { font-size: .85rem; color: var(--soft); }
figure { margin: 1rem 0; }
dl { font-size: .85rem; } dt { font-weight: 600; } dd { margin: 0 0 .3rem 1rem; }
pre { background: var(--tint); padding: .8rem; overflow-x: auto; font-size: .8rem; }
details { font-size: .9rem; margin: .4rem 0; }
svg { width: 100%; height: auto; display: block; font: 13px system-ui, "DejaVu Sans", sans-serif; fill: var(--ink); }
svg .grid { stroke: var(--rule); } svg .axis { stroke: var(--soft); }
svg .tick, svg .small { font-size: 12px; fill: var(--soft); } svg .small { fill: var(--ink); }
svg .end { text-anchor: end; } svg .middle { text-anchor: middle; }
svg .whisker { stroke: var(--ink); stroke-width: 1.2; } svg .interval { stroke-width: 1.8; }
svg .curve { fill: none; stroke-width: 2.2; } svg .thin { stroke-width: 1.2; } svg .faintline { stroke: var(--soft); opacity: .6; } svg .band { opacity: .16; } svg .faint { fill: var(--soft); opacity: .45; }
svg .s0.fill, svg .s0.band { fill: var(--s0); } svg .s0.curve, svg .s0.interval { stroke: var(--s0); }
svg .s1.fill, svg .s1.band { fill: var(--s1); } svg .s1.curve, svg .s1.interval { stroke: var(--s1); stroke-dasharray: 9 3; }
svg .s2.fill, svg .s2.band { fill: var(--s2); } svg .s2.curve, svg .s2.interval { stroke: var(--s2); stroke-dasharray: 3 2; }
svg .s3.fill, svg .s3.band { fill: var(--s3); } svg .s3.curve, svg .s3.interval { stroke: var(--s3); stroke-dasharray: 12 3 3 3; }
svg .s4.fill, svg .s4.band { fill: var(--s4); } svg .s4.curve, svg .s4.interval { stroke: var(--s4); stroke-dasharray: 6 6; }
svg .s5.fill, svg .s5.band { fill: var(--s5); } svg .s5.curve, svg .s5.interval { stroke: var(--s5); stroke-dasharray: 2 5; }
svg .s6.fill, svg .s6.band { fill: var(--s6); } svg .s6.curve, svg .s6.interval { stroke: var(--s6); stroke-dasharray: 14 4; }
svg .s7.fill, svg .s7.band { fill: var(--s7); } svg .s7.curve, svg .s7.interval { stroke: var(--s7); stroke-dasharray: 1 3; }
svg .shade { fill: var(--s0); } svg .h0 { opacity: 0.00; } svg .h1 { opacity: 0.11; } svg .h2 { opacity: 0.22; } svg .h3 { opacity: 0.33; } svg .h4 { opacity: 0.44; } svg .h5 { opacity: 0.56; } svg .h6 { opacity: 0.67; } svg .h7 { opacity: 0.78; } svg .h8 { opacity: 0.89; } svg .h9 { opacity: 1.00; }
svg .minus { fill: var(--s0); } svg .plus { fill: var(--s1); } svg .absent { fill: var(--rule); opacity: .35; }
svg .sign { fill: none; stroke: var(--ink); stroke-width: 1.4; } svg .fine { stroke-width: .8; } svg .light { stroke: var(--page); }
svg .hover { fill: transparent; } svg .hover:hover { stroke: var(--ink); }
svg .cell { font-size: 12px; } svg .strong { fill: var(--page); }
svg .interval { stroke-dasharray: none !important; }
.paper { display: none; }
.cut th:first-child, .cut td:first-child { position: sticky; left: 0; background: var(--page); background-clip: padding-box; border-right: 1px solid var(--rule); }
.cut thead th:first-child { background-color: var(--tint); }
@media (max-width: 700px) { body { padding: 1rem .8rem 3rem; } .wide svg { min-width: 620px; } }
@media print { .paper { display: block; } .cut th:nth-child(n+14), .cut td:nth-child(n+14) { display: none; } .wide svg { min-width: 0; }
   body { max-width: none; padding: 0; font-size: 11px; } nav { display: none; } table { font-size: 7.5px; }
  th, td { padding: .1rem .25rem; } .wide { overflow: visible; } figure, tr { break-inside: avoid; } h2 { break-after: avoid; } }
)css";

/// A click on a header sorts its table; without scripts the page is complete as it stands.
constexpr const char* script = R"js(
for (const th of document.querySelectorAll("thead th")) {
  th.style.cursor = "pointer";
  th.addEventListener("click", () => {
    const body = th.closest("table").tBodies[0], column = th.cellIndex;
    const down = th.getAttribute("aria-sort") === "ascending";
    for (const other of th.parentNode.children) other.removeAttribute("aria-sort");
    th.setAttribute("aria-sort", down ? "descending" : "ascending");
    const key = row => { const cell = row.cells[column];
      return cell.dataset.v !== undefined ? parseFloat(cell.dataset.v) : cell.textContent; };
    const rows = [...body.rows].sort((a, b) => { const x = key(a), y = key(b);
      if (x === "" || y === "") return (x === "") - (y === "");
      const order = typeof x === "number" ? x - y : String(x).localeCompare(y);
      return down ? -order : order; });
    body.append(...rows);
  });
}
)js";

}  // namespace

std::string page(const std::string& title, const std::string& body) {
  return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>" +
         escaped(title) + "</title>\n<style>" + style + "</style>\n</head>\n<body>\n" + body + "<script>" +
         script + "</script>\n</body>\n</html>\n";
}

}  // namespace chorale::io::report
