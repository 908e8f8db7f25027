// The dendrogram one can explore. Shows what explorer_data wrote out: formats no figure of a
// segment and computes nothing but places and colours. Text goes in through textContent alone.
(() => {
  "use strict";
  const root = document.getElementById("xp");
  const data = JSON.parse(document.getElementById("xp-data").textContent);
  const { cuts, tree, variables } = data;
  const NS = "http://www.w3.org/2000/svg";
  const GREY = "#8A94A0";
  const LOW = [196, 96, 29], MID = [246, 246, 244], HIGH = [11, 95, 165];
  const FEW = "too few people to show";
  // Pixels for a wedge, so that it can be hit; and the size of discs with a number.
  const WEDGE = 8, DISC = 9;
  const find = (selector) => root.querySelector(selector);

  const fill = (node, attributes, children) => {
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== null) node.setAttribute(name, value);
    }
    node.append(...children.filter((child) => child !== null && child !== ""));
    return node;
  };
  const make = (tag, attributes = {}, ...children) =>
    fill(document.createElement(tag), attributes, children);
  const draw = (tag, attributes = {}, ...children) =>
    fill(document.createElementNS(NS, tag), attributes, children);

  const paint = (node, segment) => {
    const [colour, ink] = segment ? data.colours[segment.colour] : [GREY, "#FFFFFF"];
    node.style.setProperty("--c", colour);
    node.style.setProperty("--ink", ink);
    node.dataset.s = segment ? segment.number : 0;
    return node;
  };
  const badge = (segment) => paint(make("span", { class: "badge" }, `${segment.number}`), segment);
  const quoted = (name) => `“${name}”`;
  const distance = (height) =>
    height >= 1000 ? Math.round(height).toLocaleString("en-US") : height.toFixed(2);

  // What each branch is at each cut: a segment, or 0 where it holds several.
  const count = tree.split.length;
  const labels = new Array(count);
  const parent = new Array(count).fill(-1);
  for (let i = count - 1; i >= 0; i -= 1) {
    const l = tree.left[i], r = tree.right[i];
    if (l < 0) {
      labels[i] = tree.labels[i];
    } else {
      parent[l] = parent[r] = i;
      labels[i] = labels[l].map((s, j) => (s === labels[r][j] ? s : 0));
    }
  }
  const home = Math.max(0, cuts.findIndex((cut) => cut.k === data.k));
  const state = { at: home, width: 0, pinned: 0, branch: -1, go: null };
  const segmentOf = (i, j = state.at) => cuts[j].segments[labels[i][j] - 1] || null;

  // ---- the tree ------------------------------------------------------------------------------

  const BASE = 300, HEAD = 16, STRIP = 24;
  const layout = { divided: new Set(), wedges: [], x: [], from: [], to: [], width: 0 };
  const topHeight = Math.max(...tree.split) || 1;
  // Square roots spread the low joints, of which there are many.
  const y = (height) => HEAD + (BASE - HEAD) * (1 - Math.sqrt(Math.max(height, 0) / topHeight));
  // How high a folded branch closes is not told: half-way to where it parted from its neighbour.
  const headOf = (i) =>
    (layout.divided.has(i) ? tree.split[i] : i ? tree.split[parent[i]] / 2 : topHeight / 2);

  const layOut = (width) => {
    const left = 44, room = width - left - 4;
    const many = Math.max(tree.needed, Math.min(tree.order.length, Math.floor(room / WEDGE) - 1));
    layout.divided = new Set(tree.order.slice(0, many));
    layout.wedges = [];
    const stack = [0];
    while (stack.length) {
      const i = stack.pop();
      if (layout.divided.has(i)) stack.push(tree.right[i], tree.left[i]);
      else layout.wedges.push(i);
    }
    const least = Math.min(4, room / layout.wedges.length / 2);
    const wide = layout.wedges.map((i) => Math.max(tree.weight[i] * room, least));
    const scale = room / wide.reduce((a, b) => a + b, 0);
    let at = left;
    layout.wedges.forEach((i, n) => {
      layout.from[i] = at;
      at += wide[n] * scale;
      layout.to[i] = at;
      layout.x[i] = (layout.from[i] + at) / 2;
    });
    for (let i = count - 1; i >= 0; i -= 1) {
      if (!layout.divided.has(i)) continue;
      const l = tree.left[i], r = tree.right[i];
      layout.x[i] = (layout.x[l] + layout.x[r]) / 2;
      layout.from[i] = layout.from[l];
      layout.to[i] = layout.to[r];
    }
    layout.width = width;
  };

  const ticks = () => {
    const nice = [0.05, 0.25, 0.55, 0.95].map((f) => {
      const value = f * topHeight, unit = 10 ** Math.floor(Math.log10(value));
      return [1, 2, 3, 5, 10].reduce((a, b) => (Math.abs(b - value / unit) < Math.abs(a - value / unit) ? b : a)) * unit;
    });
    return [0, ...new Set(nice)].filter((v) => v <= topHeight);
  };

  const drawTree = () => {
    const svg = find(".xp-tree svg");
    const tall = BASE + STRIP + 12;
    svg.replaceChildren();
    fill(svg, { viewBox: `0 0 ${layout.width} ${tall}` }, []);
    const axis = draw("g", { class: "xp-axis", "aria-hidden": "true" });
    for (const value of ticks()) {
      const at = y(value).toFixed(1), text = Number(value.toPrecision(1)).toLocaleString("en-US");
      axis.append(
        draw("path", { d: `M38 ${at}H${layout.width}` }),
        draw("text", { x: 34, y: at, dy: "0.35em", "text-anchor": "end" }, text),
      );
    }
    axis.append(
      draw("text", { x: 9, y: BASE / 2, transform: `rotate(-90 9 ${BASE / 2})`, "text-anchor": "middle" },
        "Distance at joining"),
    );
    const lines = draw("g", { class: "xp-lines", "aria-hidden": "true" });
    const wedges = draw("g", { class: "xp-wedges" });
    const joints = draw("g", { class: "xp-joints" });
    lines.append(draw("path", {
      class: "xp-stem", "data-branch": 0,
      d: `M${layout.x[0]} ${HEAD - 10}V${y(headOf(0))}`,
    }));
    for (const i of [...layout.divided].sort((a, b) => tree.split[b] - tree.split[a])) {
      const at = y(tree.split[i]), l = tree.left[i], r = tree.right[i];
      lines.append(draw("path", {
        class: "xp-spine", "data-branch": i, d: `M${layout.x[l]} ${at}H${layout.x[r]}`,
      }));
      for (const child of [l, r]) {
        lines.append(draw("path", {
          class: "xp-stem", "data-branch": child,
          d: `M${layout.x[child]} ${at}V${y(headOf(child))}`,
        }));
      }
      const wide = Math.max(layout.x[r] - layout.x[l], 10), middle = (layout.x[l] + layout.x[r]) / 2;
      joints.append(draw("g", { class: "xp-joint", role: "button", tabindex: -1, "data-branch": i },
        draw("rect", { x: middle - wide / 2, y: at - 7, width: wide, height: 14, rx: 4 })));
    }
    for (const i of layout.wedges) {
      const gap = Math.min(0.6, (layout.to[i] - layout.from[i]) / 6);
      const shape = [
        [layout.x[i], y(headOf(i))], [layout.to[i] - gap, BASE], [layout.from[i] + gap, BASE],
      ].map((p) => p.map((v) => v.toFixed(1)).join(",")).join(" ");
      wedges.append(draw("g", { class: "xp-wedge", role: "button", tabindex: -1, "data-branch": i },
        draw("polygon", { points: shape })));
    }
    svg.append(axis, lines, wedges, joints,
      draw("g", { class: "xp-cut", "aria-hidden": "true" },
        draw("path", { d: `M40 0H${layout.width}` })),
      draw("g", { class: "xp-runs", "aria-hidden": "true" }),
      draw("g", { class: "xp-discs", "aria-hidden": "true" }));
    svg.querySelector('[role=button][data-branch="0"]').setAttribute("tabindex", "0");
  };

  // Moves places apart that are nearer than a distance, and keeps them between two ends.
  const spread = (places, apart, low, high) => {
    const order = places.map((_, i) => i).sort((a, b) => places[a] - places[b]);
    const out = [...places];
    const room = Math.min(apart, (high - low) / Math.max(1, places.length - 1));
    let floor = low;
    for (const i of order) { out[i] = Math.max(out[i], floor); floor = out[i] + room; }
    let ceiling = high;
    for (const i of order.reverse()) { out[i] = Math.min(out[i], ceiling); ceiling = out[i] - room; }
    return out;
  };

  const disc = (segment, x, at) => paint(
    draw("g", { class: "xp-disc", transform: `translate(${x.toFixed(1)} ${at.toFixed(1)})` },
      draw("circle", { r: DISC }), draw("text", { dy: "0.36em" }, `${segment.number}`)), segment);

  const cutTree = () => {
    const j = state.at, svg = find(".xp-tree svg");
    for (const node of svg.querySelectorAll("[data-branch]")) {
      const i = Number(node.dataset.branch);
      paint(node, segmentOf(i));
      if (node.hasAttribute("role")) node.setAttribute("aria-label", spoken(i));
    }
    // The branches that the segments begin with.
    const begins = [];
    for (let i = 0; i < count; i += 1) {
      const shown = i === 0 || layout.divided.has(parent[i]);
      if (shown && labels[i][j] && (i === 0 || !labels[parent[i]][j])) begins.push(i);
    }
    const above = Math.max(...begins.map((i) => headOf(i)), 0);
    const below = Math.min(
      ...[...layout.divided].filter((i) => !labels[i][j]).map((i) => tree.split[i]), Infinity);
    const straight = above <= below && Number.isFinite(below);
    const line = (y(above) + y(straight ? below : above)) / 2;
    const cut = find(".xp-cut");
    cut.style.display = straight ? "" : "none";
    cut.style.transform = `translateY(${line.toFixed(1)}px)`;
    const heights = begins.map((i) =>
      straight || i === 0 ? line : (y(headOf(i)) + y(tree.split[parent[i]])) / 2);
    const xs = straight
      ? spread(begins.map((i) => layout.x[i]), 2 * DISC + 1, 44 + DISC, layout.width - DISC - 2)
      : begins.map((i) => layout.x[i]);
    find(".xp-discs").replaceChildren(
      ...begins.map((i, n) => disc(segmentOf(i), xs[n], heights[n])));
    // The strip under the tree: neighbours of one segment are one block.
    const runs = [];
    for (const i of layout.wedges) {
      const last = runs[runs.length - 1];
      if (last && last.s === labels[i][j]) last.to = layout.to[i];
      else runs.push({ s: labels[i][j], from: layout.from[i], to: layout.to[i] });
    }
    find(".xp-runs").replaceChildren(...runs.map((run) => {
      const segment = cuts[j].segments[run.s - 1], wide = Math.max(run.to - run.from - 2, 1);
      const text = wide >= 8 * segment.share.length + 6 ? segment.share : "";
      return paint(draw("g", { class: "xp-run" },
        draw("rect", { x: run.from + 1, y: BASE + 5, width: wide, height: STRIP, rx: Math.min(4, wide / 2) }),
        draw("text", { x: (run.from + run.to) / 2, y: BASE + 5 + STRIP / 2, dy: "0.36em" }, text)), segment);
    }));
  };

  // ---- who joins ------------------------------------------------------------------------------

  const size = (i) => tree.people[i] + (tree.share[i] ? ` (${tree.share[i]})` : "");
  // The first cut at which a branch holds several segments; -1 where it always is of one.
  const parted = (i) => labels[i].indexOf(0);
  const sides = (i) => {
    const j = parted(i);
    if (j < 0) return null;
    const pair = [tree.left[i], tree.right[i]].map((c) => segmentOf(c, j));
    return pair[0] && pair[1] ? { j, pair } : null;
  };
  const within = (i) => {
    const segment = segmentOf(i);
    return segment ? `Inside segment ${segment.number}, ${quoted(segment.name)}` : "Across segments";
  };
  const joinText = (i) => {
    const l = tree.left[i], r = tree.right[i];
    return `${size(l)} and ${size(r)} join at distance ${distance(tree.split[i])}`;
  };
  const spoken = (i) => {
    if (!layout.divided.has(i)) return `${within(i)}: a branch of ${size(i)}`;
    const known = sides(i);
    if (!known) return `${within(i)}: ${joinText(i)}`;
    return `${known.pair.map((s) => quoted(s.name)).join(" and ")}: ${joinText(i)}`;
  };

  const showBranch = (i) => {
    state.branch = i;
    state.go = null;
    const box = find(".xp-joined");
    for (const node of root.querySelectorAll(".xp-at")) node.classList.remove("xp-at");
    if (i < 0) {
      box.replaceChildren(make("p", { class: "note" },
        "Nothing chosen: point at a joint of the tree, or tap it, to see who joins there."));
      return;
    }
    for (const node of root.querySelectorAll(".xp-tree [data-branch]")) {
      let up = Number(node.dataset.branch);
      while (up > i) up = parent[up];
      if (up === i) node.classList.add("xp-at");
    }
    if (!layout.divided.has(i)) {
      const inside = segmentOf(i);
      box.replaceChildren(
        make("p", { class: "xp-title" }, `A folded branch of ${size(i)}`),
        make("p", {}, inside ? badge(inside) : "", `${inside ? " " : ""}${within(i)}.`));
      return;
    }
    const known = sides(i);
    if (!known) {
      const inside = segmentOf(i);
      box.replaceChildren(
        make("p", { class: "xp-title" }, "Two branches join"),
        make("p", {}, inside ? badge(inside) : "", `${inside ? " " : ""}${within(i)}: ${joinText(i)}.`));
      return;
    }
    const cut = cuts[known.j], [a, b] = known.pair;
    const dot = (segment) => paint(make("span", { class: "dot" }), segment);
    const parts = [make("p", { class: "xp-title" },
      dot(a), ` ${a.name} `, make("span", { class: "xp-and" }, "(left) and "), dot(b), ` ${b.name} `,
      make("span", { class: "xp-and" }, "(right)"))];
    const before = known.j > 0
      ? `Up to ${cuts[known.j - 1].title} they are one segment` : "Together they are everybody";
    parts.push(make("p", {}, `${joinText(i)}. ${before}; from ${cut.title} on they are apart.`));
    const division = cut.division;
    const turned = division && division.parts[0] === b.number;
    if (division && (turned || division.parts[0] === a.number) && division.apart.length) {
      const head = ["", "Left", "Right"].map((text) =>
        text ? make("th", { scope: "col" }, text) : make("td"));
      parts.push(make("table", { class: "xp-apart" },
        make("caption", {}, "What sets the two apart most"),
        make("thead", {}, make("tr", {}, ...head)),
        make("tbody", {}, ...division.apart.map(([what, first, second]) => make("tr", {
          "data-k": cut.k, "data-variable": variables[what].variable, "data-category": variables[what].category,
        },
          make("th", { scope: "row", dir: "auto" }, variables[what].text),
          ...[[a, turned ? second : first], [b, turned ? first : second]].map(([s, text]) =>
            make("td", { "data-segment": s.number }, dot(s), " ", make("b", {}, text))))))));
    }
    const shown = state.at >= known.j;
    if (!shown || known.j > 0) {
      const to = shown ? known.j - 1 : known.j;
      const button = make("button", { type: "button", class: "xp-go" },
        `${shown ? "Join them" : "Part them"}: ${cuts[to].title}`);
      state.go = () => { show(to); showBranch(i); };
      button.addEventListener("click", () => {
        state.go();
        // The button was made anew.
        const again = find(".xp-go");
        if (again) again.focus();
      });
      parts.push(button);
    }
    box.replaceChildren(...parts);
  };

  // ---- sizes, cards, heat map, table ----------------------------------------------------------

  const bases = (segment) => [segment.people, segment.weighted].filter(Boolean).join(", ");

  const showSizes = (cut) => {
    const largest = Math.max(...cut.segments.map((s) => s.width), 1e-9);
    find(".xp-sizes").replaceChildren(...cut.segments.map((segment) => {
      const bar = make("i", {});
      bar.style.setProperty("width", `${(100 * segment.width) / largest}%`);
      const button = make("button", { type: "button", "aria-pressed": String(state.pinned === segment.number) },
        badge(segment),
        make("span", { class: "xp-name", dir: "auto" }, segment.name),
        make("span", { class: "xp-share" }, segment.share || "–"),
        make("span", { class: "xp-size", "aria-hidden": "true" }, bar),
        make("small", {}, segment.people));
      button.addEventListener("click", () => {
        state.pinned = state.pinned === segment.number ? 0 : segment.number;
        for (const other of find(".xp-sizes").querySelectorAll("button")) {
          other.setAttribute("aria-pressed", String(other.parentNode.dataset.s === String(state.pinned)));
        }
        highlight(state.pinned);
      });
      button.addEventListener("focus", () => highlight(segment.number));
      button.addEventListener("blur", () => highlight(state.pinned));
      return paint(make("li", {}, button), segment);
    }));
  };

  const factLine = (fact) => {
    const variable = variables[fact.what];
    const push = make("span", { class: `xp-push ${fact.push > 0 ? "more" : "less"}`, "aria-hidden": "true" }, make("i", {}));
    // Two standard deviations fill the bar: hardly a segment is farther from the others.
    push.firstChild.style.setProperty("width", `${Math.min(Math.abs(fact.push) / 2, 1) * 50}%`);
    return make("li", { "data-variable": variable.variable, "data-category": variable.category },
      make("span", { class: "xp-what", dir: "auto" }, variable.text),
      make("b", { class: "xp-value" }, fact.value),
      push,
      make("small", {}, make("span", {}, `${fact.push > 0 ? "▲" : "▼"} `,
        make("span", { class: "xp-total" }, fact.total), " overall"),
      make("span", {}, "n = ", make("span", { class: "xp-n" }, fact.base))));
  };

  const showCards = (cut, previous) => {
    const before = new Set(previous ? previous.segments.map((s) => s.name) : []);
    // Rows of up to four that are about as long as one another.
    const rows = Math.ceil(cut.segments.length / 4);
    find(".xp-cards").style.setProperty("--n", Math.ceil(cut.segments.length / rows));
    find(".xp-cards").replaceChildren(...cut.segments.map((segment) => {
      const facts = segment.facts.length
        ? make("ul", { class: "xp-facts" }, ...segment.facts.map(factLine))
        : make("p", { class: "note" }, segment.silent || "Nothing sets these people clearly apart.");
      const card = make("li", {
        class: `xp-card${before.has(segment.name) ? "" : " new"}`, "data-k": cut.k, "data-segment": segment.number,
      },
        make("div", { class: "xp-top" }, badge(segment), make("span", { class: "xp-share" }, segment.share),
          make("small", { class: "xp-people" }, bases(segment))),
        make("h4", { dir: "auto" }, segment.name),
        segment.parent ? make("p", { class: "xp-from" }, `Part of ${quoted(segment.parent)} with one segment fewer`) : "",
        segment.headline ? make("p", { class: "xp-lead", dir: "auto" }, segment.headline) : "",
        facts);
      return paint(card, segment);
    }));
  };

  const shade = (z) => {
    const t = Math.max(-1, Math.min(1, z / data.heat_limit)), end = t < 0 ? LOW : HIGH;
    return MID.map((v, i) => Math.round(v + Math.abs(t) * (end[i] - v)));
  };
  const inkOn = (colour) => {
    const [r, g, b] = colour.map((v) => v / 255)
      .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    // Whichever contrasts more: one of them always has 4.5 to 1 (WCAG 2.1, 1.4.3).
    const luminance = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    return 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.05 ? "#FFFFFF" : "#000000";
  };

  const showHeat = (cut) => {
    find(".xp-heat-part").hidden = !data.heat.length;
    const table = find(".xp-heat");
    table.style.setProperty("--n", cut.segments.length + 1);
    const head = make("tr", { role: "row" }, make("th", { scope: "col", role: "columnheader" }, make("span", { class: "xp-hide" }, "Scale")),
      ...cut.segments.map((segment) => paint(make("th", { scope: "col", role: "columnheader" }, badge(segment),
        make("span", { class: "xp-hide" }, ` ${segment.name}`)), segment)),
      make("th", { scope: "col", role: "columnheader" }, "All"));
    const rows = data.heat.map((what, n) => make("tr", { role: "row", "data-variable": variables[what].variable },
      make("th", { scope: "row", role: "rowheader", dir: "auto" }, variables[what].text),
      ...cut.segments.map((segment) => {
        const [text, z, base] = segment.heat[n];
        const cell = make("td", { role: "cell", "data-segment": segment.number, title: text ? `n = ${base}` : FEW },
          text || make("span", { "aria-hidden": "true" }, "–"), text ? "" : make("span", { class: "xp-hide" }, FEW));
        cell.dataset.s = segment.number;
        if (text && z !== null) {
          const colour = shade(z);
          cell.style.setProperty("background-color", `rgb(${colour.join(" ")})`);
          cell.style.setProperty("color", inkOn(colour));
        }
        return cell;
      }),
      make("td", { role: "cell", class: "xp-all" }, variables[what].total)));
    table.replaceChildren(
      make("caption", { class: "xp-hide" }, `Mean of each of ${cut.title} on each scale`),
      make("thead", { role: "rowgroup" }, head), make("tbody", { role: "rowgroup" }, ...rows));
  };

  const showTable = (cut) => {
    const heads = ["Segment", "Share", "People", "What sets it apart", "Segment", "95% interval", "Overall", "Effect", "Base"];
    const rows = cut.segments.flatMap((segment) => {
      const own = [make("td", { class: "text" }, segment.share || FEW), make("td", {}, bases(segment))];
      const name = make("th", { scope: "row", dir: "auto" }, `${segment.number}. ${segment.name}`);
      if (!segment.facts.length) return [make("tr", {}, name, ...own, make("td", { colspan: 6, class: "text" }, "Nothing to show"))];
      return segment.facts.map((fact, n) => make("tr", { "data-segment": segment.number },
        n ? make("th", { scope: "row" }, make("span", { class: "xp-hide" }, `${segment.number}. ${segment.name}`)) : name,
        ...(n ? [make("td"), make("td")] : own),
        make("td", { class: "text", dir: "auto" }, variables[fact.what].text),
        ...[fact.value, fact.interval, fact.total, fact.effect, fact.base].map((text) => make("td", {}, text))));
    });
    find(".xp-table table").replaceChildren(
      make("caption", {}, `${cut.title}: what is on the cards`),
      make("thead", {}, make("tr", {}, ...heads.map((text, n) =>
        make("th", { scope: "col", class: n === 0 || n === 3 ? "text" : "" }, text)))),
      make("tbody", {}, ...rows));
  };

  // ---- the map --------------------------------------------------------------------------------

  const showMap = (cut) => {
    const svg = find(".xp-map"), [wide, tall] = data.map_size, pad = 14;
    const width = Math.max(svg.parentNode.clientWidth, 200);
    const height = data.flat ? Math.max(140, 44 * cut.segments.length)
      : Math.min(Math.max(((width - 2 * pad) * tall) / wide, 120), 1.05 * width) + 2 * pad;
    const scale = data.flat ? (width - 2 * pad) / wide
      : Math.min((width - 2 * pad) / wide, (height - 2 * pad) / tall);
    const lane = (height - 2 * pad) / cut.segments.length;
    const dx = (width - scale * wide) / 2, dy = (height - scale * tall) / 2;
    const place = (x, at, s) => [dx + scale * x,
      data.flat ? pad + lane * (s - 1 + 0.15 + (0.7 * at) / tall) : dy + scale * at];
    svg.replaceChildren();
    fill(svg, { viewBox: `0 0 ${width} ${height.toFixed(0)}` }, []);
    const own = cut.segments.filter((segment) => segment.cloud.length);
    // Wide clouds first, or they would cover the others.
    const wideFirst = [...own].sort((a, b) => b.cloud[2] * b.cloud[3] - a.cloud[2] * a.cloud[3]);
    for (const segment of data.individuals ? [] : wideFirst) {
      const [x, at, along, across, turn] = segment.cloud;
      const [cx, cy] = place(x, data.flat ? tall / 2 : at, segment.number);
      svg.append(paint(draw("g", { class: "xp-cloud", transform: `translate(${cx.toFixed(1)} ${cy.toFixed(1)}) rotate(${data.flat ? 0 : turn})` },
        ...[2, 1].map((reach) => draw("ellipse", {
          rx: (reach * along * scale).toFixed(1),
          ry: (data.flat ? (reach * lane) / 5 : reach * across * scale).toFixed(1),
        }))), segment));
    }
    for (let i = 0; i < tree.dots.length; i += 1) {
      if (tree.left[i] >= 0) continue;
      const s = labels[i][state.at], dots = [];
      for (let n = 0; n < tree.dots[i].length; n += 2) {
        const [x, at] = place(tree.dots[i][n], tree.dots[i][n + 1], s);
        dots.push(`M${x.toFixed(1)} ${at.toFixed(1)}h0`);
      }
      if (dots.length) svg.append(paint(draw("path", { class: "xp-dots", d: dots.join("") }), cut.segments[s - 1]));
    }
    const centres = own.map((segment) =>
      place(segment.cloud[0], data.flat ? tall / 2 : segment.cloud[1], segment.number));
    // Discs that would cover one another are pushed apart, a little at a time.
    for (let round = 0; round < 60; round += 1) {
      for (let a = 0; a < centres.length; a += 1) {
        for (let b = 0; b < a; b += 1) {
          const gx = centres[a][0] - centres[b][0], gy = centres[a][1] - centres[b][1];
          const gap = Math.hypot(gx, gy) || 0.01, short = (2 * DISC + 2 - gap) / 2;
          if (short <= 0) continue;
          const ux = gap > 0.01 ? gx / gap : 1, uy = gap > 0.01 ? gy / gap : 0;
          centres[a][0] += ux * short; centres[a][1] += uy * short;
          centres[b][0] -= ux * short; centres[b][1] -= uy * short;
        }
      }
    }
    svg.append(...own.map((segment, n) => disc(segment,
      Math.max(DISC + 1, Math.min(width - DISC - 1, centres[n][0])),
      Math.max(DISC + 1, Math.min(height - DISC - 1, centres[n][1])))));
  };

  // ---- one state, shown everywhere ------------------------------------------------------------

  const highlight = (s) => {
    for (const node of root.querySelectorAll("[data-s]")) {
      const own = node.dataset.s === String(s);
      node.classList.toggle("xp-off", s > 0 && !own);
      node.classList.toggle("xp-on", s > 0 && own);
    }
  };

  const changed = (cut) => {
    const mark = cut.mark ? `, ${cut.mark}` : "";
    const words = [make("b", {}, `${cut.title}${mark}.`)];
    if (cut.division) {
      const [a, b] = cut.division.parts.map((s) => cut.segments[s - 1]);
      const named = (s) => `${quoted(s.name)}${s.share ? ` (${s.share})` : ""}`;
      const whole = cut.division.parent
        ? `Compared with ${cuts[state.at - 1].title}, ${quoted(cut.division.parent)} divides into`
        : "Everybody divides into";
      words.push(` ${whole} `, badge(a), ` ${named(a)} and `, badge(b), ` ${named(b)}.`);
    }
    return words;
  };

  const slider = find("#xp-range");
  const show = (at, { keep = false } = {}) => {
    const previous = cuts[state.at];
    state.at = Math.max(0, Math.min(cuts.length - 1, at));
    state.pinned = 0;
    const cut = cuts[state.at];
    slider.value = cut.k;
    slider.setAttribute("aria-valuetext", `${cut.title}${cut.mark ? `, ${cut.mark}` : ""}`);
    root.dataset.k = cut.k;
    find(".xp-count b").textContent = cut.k;
    find(".xp-count span").textContent = "segments";
    find(".xp-said").replaceChildren(...changed(cut));
    for (const tick of root.querySelectorAll(".xp-ticks span")) {
      tick.classList.toggle("on", tick.dataset.k === String(cut.k));
    }
    cutTree();
    showSizes(cut);
    showMap(cut);
    showCards(cut, previous === cut ? null : previous);
    showHeat(cut);
    showTable(cut);
    showBranch(state.branch);
    highlight(0);
    if (!keep) history.replaceState(null, "", `#k=${cut.k}`);
  };

  const asked = () => {
    const found = /^#k=(\d+)$/.exec(location.hash);
    return found ? cuts.findIndex((cut) => cut.k === Number(found[1])) : -1;
  };

  const redraw = () => {
    const width = Math.round(find(".xp-tree").clientWidth);
    if (!width || width === state.width) return;
    state.width = width;
    layOut(width);
    drawTree();
    show(state.at, { keep: true });
  };

  slider.min = cuts[0].k;
  slider.max = cuts[cuts.length - 1].k;
  slider.disabled = cuts.length < 2;
  find(".xp-ticks").replaceChildren(...cuts.map((cut, n) => {
    const tick = make("span", { "data-k": cut.k }, `${cut.k}`,
      make("i", {}, `${cut.k === data.starred ? "★" : ""}${cut.k === data.k ? "●" : ""}`));
    tick.style.setProperty("--at", cuts.length > 1 ? n / (cuts.length - 1) : 0.5);
    tick.addEventListener("click", () => show(n));
    return tick;
  }));
  find(".xp-key").textContent = [
    data.starred ? `★ ${data.starred_as}` : "", cuts[home].k === data.k ? "● as in this report" : "",
  ].filter(Boolean).join("   ");
  find(".xp-map-note").textContent = data.map_note;
  slider.addEventListener("input", () => show(cuts.findIndex((cut) => cut.k === Number(slider.value))));
  for (const button of root.querySelectorAll(".xp-step")) {
    button.addEventListener("click", () => show(state.at + Number(button.dataset.step)));
  }
  find(".xp-reset").addEventListener("click", () => { state.branch = -1; show(home); });

  // On the figure: Chromium makes an svg that listens to focus a stop of the keyboard itself.
  const listening = find(".xp-tree");
  const branchAt = (event) => {
    const node = event.target.closest("[role=button][data-branch]");
    return node ? Number(node.dataset.branch) : -1;
  };
  for (const kind of ["pointerover", "focusin", "click"]) {
    listening.addEventListener(kind, (event) => { const i = branchAt(event); if (i >= 0) showBranch(i); });
  }
  listening.addEventListener("keydown", (event) => {
    const i = branchAt(event);
    if (i < 0) return;
    const up = parent[i], inner = layout.divided.has(i);
    const beside = up < 0 ? i : event.key === "ArrowLeft" ? tree.left[up] : tree.right[up];
    const to = {
      ArrowUp: up < 0 ? i : up, ArrowDown: inner ? tree.left[i] : i,
      ArrowLeft: beside, ArrowRight: beside, Home: 0,
    }[event.key];
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      if (state.go) state.go();
      return;
    }
    if (to === undefined) return;
    event.preventDefault();
    const node = listening.querySelector(`[role=button][data-branch="${to}"]`);
    for (const other of listening.querySelectorAll('[tabindex="0"]')) other.setAttribute("tabindex", "-1");
    node.setAttribute("tabindex", "0");
    node.focus();
  });
  root.addEventListener("pointerover", (event) => {
    const node = event.target.closest("[data-s]");
    highlight(node && Number(node.dataset.s) ? Number(node.dataset.s) : state.pinned);
  });
  root.addEventListener("pointerleave", () => highlight(state.pinned));
  addEventListener("hashchange", () => { const at = asked(); if (at >= 0) show(at, { keep: true }); });

  root.hidden = false;
  const first = asked();
  if (first >= 0) state.at = first;
  redraw();
  new ResizeObserver(redraw).observe(find(".xp-tree"));
  if (first >= 0) (root.closest("section") || root).scrollIntoView();
})();
