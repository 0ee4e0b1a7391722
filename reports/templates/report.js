// Filters and sorts what has the class "sift". Without this script every row is there; on paper every row is there as well.
"use strict";
(() => {
  const worth = 4; // rows: fewer are read at a glance
  const order = new Intl.Collator(undefined, { numeric: true });

  const made = (tag, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };

  const words = (item) => {
    const card = item.closest(".card");
    return (item.textContent + " " + (card && !item.cells ? card.firstElementChild.textContent : "")).toLowerCase();
  };

  const findings = (item) => Number(item.dataset.findings || 1);
  const resets = new Map(); // by what may be filtered out

  const filter = (items, name, place) => {
    const kinds = new Map();
    const arounds = new Set();
    for (const item of items) {
      item.kinds = (item.dataset.kind || "").split("|").filter(Boolean);
      item.arounds = item.cells ? [] : [item.closest(".card"), item.closest(".group")];
      for (const around of item.arounds) arounds.add(around);
      for (const kind of item.kinds) kinds.set(kind, (kinds.get(kind) || 0) + findings(item));
    }
    const text = made("input", { type: "search", autocomplete: "off", spellcheck: false });
    const boxes = [...kinds].map(([kind]) => made("input", { type: "checkbox", checked: true, value: kind }));
    const count = made("p", { className: "count" });
    count.setAttribute("role", "status");
    const apply = () => {
      const wanted = text.value.toLowerCase().split(/\s+/).filter(Boolean);
      const allowed = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
      const all = allowed.size === boxes.length;
      let shown = 0;
      for (const around of arounds) around.classList.add("sifted");
      for (const item of items) {
        if (wanted.length && item.words === undefined) item.words = words(item);
        const fits = (all || item.kinds.some((kind) => allowed.has(kind))) && wanted.every((word) => item.words.includes(word));
        item.classList.toggle("sifted", !fits);
        if (!fits) continue;
        shown += findings(item);
        for (const around of item.arounds) around.classList.remove("sifted");
      }
      tell(shown);
    };
    const total = items.reduce((sum, item) => sum + findings(item), 0);
    const tell = (shown) => {
      count.textContent = shown + " of " + total + " shown" + (shown < total ? "; on paper all are" : "");
    };
    let waiting;
    text.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(apply, 120);
    });
    for (const box of boxes) box.addEventListener("change", apply);
    const reset = () => {
      clearTimeout(waiting);
      text.value = "";
      for (const box of boxes) box.checked = true;
      apply();
    };
    for (const item of items) resets.set(item, reset);
    const tools = made("div", { className: "tools" }, made("label", {}, "Filter ", text));
    if (boxes.length > 1) {
      const labels = boxes.map((box) => made("label", {}, box, ` ${box.value} (${kinds.get(box.value)})`));
      tools.append(made("fieldset", {}, made("legend", { textContent: "Show" }), ...labels));
    }
    tools.append(count);
    tools.setAttribute("role", "group");
    tools.setAttribute("aria-label", "Filter: " + name);
    place.before(tools);
    tell(total);
  };

  const sort = (table, rows) => {
    const body = table.tBodies[0];
    const heads = [...table.tHead.rows[0].cells];
    const arrange = (column, way) => {
      const key = (row) => row.cells[column].textContent.trim();
      const keyed = rows.map((row) => [way ? key(row) : "", row]);
      if (way) keyed.sort(([one], [other]) => way * order.compare(one, other));
      const sorted = document.createDocumentFragment();
      for (const [, row] of keyed) sorted.append(row);
      body.append(sorted);
    };
    heads.forEach((head, column) => {
      const button = made("button", { type: "button" }, ...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const way = { ascending: -1, descending: 0 }[head.getAttribute("aria-sort")] ?? 1;
        for (const other of heads) other.removeAttribute("aria-sort");
        if (way) head.setAttribute("aria-sort", way > 0 ? "ascending" : "descending");
        arrange(column, way);
      });
    });
  };

  for (const table of document.querySelectorAll("table.sift")) {
    const rows = [...table.tBodies[0].rows];
    if (rows.length < worth) continue;
    sort(table, rows);
    filter(rows, table.caption.textContent, table.closest(".scroll"));
  }
  for (const list of document.querySelectorAll("div.sift")) {
    const items = [...list.querySelectorAll(".finding")];
    if (items.length >= worth) filter(items, list.dataset.sift, list.firstElementChild);
  }

  // What a link or the address points at is shown, whatever was filtered.
  const reveal = (fragment) => {
    const target = document.getElementById(fragment.slice(1));
    const out = target && target.closest(".sifted");
    for (let at = target; at; at = at.parentElement) if (at.localName === "details") at.open = true;
    if (out) resets.get(out)();
    return out && target;
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (link) reveal(link.getAttribute("href"));
  });
  addEventListener("hashchange", () => reveal(location.hash)?.scrollIntoView());
  reveal(location.hash);
})();
