"use strict";
/* Sorts and filters the tables of the report. Without it every table is there, in its own order. */
(() => {
  const tables = [...document.querySelectorAll("table.sortable")];
  const value = (cell) => {
    const number = cell && cell.dataset.s;
    return number === undefined ? null : Number(number);
  };

  /* Rows are sorted inside their group, and a group stays where it is; hidden figures come last. */
  const groupsOf = (body) => {
    const groups = [];
    for (const row of body.rows) {
      if (row.classList.contains("group") || !groups.length) groups.push({ head: null, rows: [] });
      if (row.classList.contains("group")) groups[groups.length - 1].head = row;
      else groups[groups.length - 1].rows.push(row);
    }
    return groups;
  };

  for (const table of tables) {
    const body = table.tBodies[0];
    const groups = groupsOf(body);
    const heads = [...table.tHead.rows[0].cells];
    const status = table.closest(".scroller").querySelector(".sorted");
    heads.forEach((head, column) => {
      const label = head.textContent.trim().replace(/\s+/g, " ");
      if (head.tagName !== "TH" || !label) return;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.append(...head.childNodes);
      head.append(button);
      head.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => {
        const before = head.getAttribute("aria-sort");
        const numbers = groups.some((g) => g.rows.some((r) => value(r.cells[column]) !== null));
        const first = numbers ? "descending" : "ascending";
        const second = numbers ? "ascending" : "descending";
        const now = before === "none" ? first : before === first ? second : "none";
        heads.forEach((h) => h.hasAttribute("aria-sort") && h.setAttribute("aria-sort", "none"));
        head.setAttribute("aria-sort", now);
        const turn = now === "descending" ? -1 : 1;
        for (const group of groups) {
          const rows = [...group.rows];
          if (now !== "none") {
            rows.sort((a, b) => {
              const x = value(a.cells[column]);
              const y = value(b.cells[column]);
              if (numbers) return x === null ? (y === null ? 0 : 1) : y === null ? -1 : turn * (x - y);
              return turn * a.cells[column].textContent.trim().localeCompare(b.cells[column].textContent.trim(), "en", { numeric: true });
            });
          }
          if (group.head) body.append(group.head);
          body.append(...rows);
        }
        status.textContent = now === "none" ? "In its own order." : `Sorted by ${label}, ${now}.`;
      });
    });
  }

  for (const box of document.querySelectorAll(".filter")) {
    const section = box.closest("section");
    const input = box.querySelector("input");
    const count = box.querySelector("output");
    const parts = [...section.querySelectorAll("table")].map((t) => groupsOf(t.tBodies[0]));
    const text = (row) => row.cells[0].textContent.toLowerCase();
    const every = parts.flat().reduce((n, g) => n + g.rows.length, 0);
    const filter = () => {
      const asked = input.value.trim().toLowerCase();
      let seen = 0;
      for (const group of parts.flat()) {
        const all = group.head !== null && text(group.head).includes(asked);
        let here = 0;
        for (const row of group.rows) {
          row.hidden = !all && !text(row).includes(asked);
          here += row.hidden ? 0 : 1;
        }
        if (group.head) group.head.hidden = here === 0;
        seen += here;
      }
      count.textContent = asked ? `${seen} of ${every} rows` : "";
    };
    input.addEventListener("input", filter);
    /* A link to a cell that the filter hides shows it again. */
    window.addEventListener("hashchange", () => {
      const row = document.getElementById(location.hash.slice(1))?.closest("tr");
      if (row?.hidden && section.contains(row)) {
        input.value = "";
        filter();
        row.scrollIntoView({ block: "center" });
      }
    });
    box.hidden = false;
  }
})();
