// The page can be read without this. It filters and sorts, shows titles at once and in one place, highlights a label's
// neighbours, copies, adds the reader's own time, and opens what is folded before it is printed.
(() => {
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const status = document.getElementById("status");
  document.documentElement.classList.add("scripted");

  // Titles become tips: at the pointer, or in the drawing where they cover neither the label nor its neighbours.
  const tip = document.createElement("div");
  tip.id = "tip";
  tip.hidden = true;
  document.body.append(tip);
  const own = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });
  for (const time of all("time")) time.title += "\n" + own.format(new Date(time.dateTime));
  for (const title of all("svg title")) {
    title.parentElement.dataset.tip = title.textContent;
    title.remove();
  }
  for (const titled of all("[title]")) {
    titled.dataset.tip = titled.title;
    titled.removeAttribute("title");
  }
  const place = (x, y) => {
    const box = tip.getBoundingClientRect();
    tip.style.left = Math.max(8, Math.min(x, innerWidth - box.width - 8)) + "px";
    tip.style.top = Math.max(8, Math.min(y, innerHeight - box.height - 8)) + "px";
  };
  const show = (source, x, y) => {
    tip.hidden = !source;
    if (!source) return;
    tip.textContent = source.dataset.tip;
    const box = tip.getBoundingClientRect();
    place(x + 14, y + 18 + box.height > innerHeight ? y - box.height - 12 : y + 18);
  };
  const overlap = (a, b) =>
    Math.max(0, Math.min(a.right, b.right) - Math.max(a.left, b.left)) *
    Math.max(0, Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top));
  const showBeside = (node) => {
    tip.hidden = false;
    tip.textContent = node.dataset.tip;
    const { width, height } = tip.getBoundingClientRect();
    const frame = node.closest("svg").getBoundingClientRect();
    const label = node.getBoundingClientRect();
    const kept = all(".close:is(.node, .type)", node.closest("svg")).map((element) => element.getBoundingClientRect());
    const top = Math.max(frame.top, 56), bottom = Math.min(frame.bottom, innerHeight) - height;
    let best = [Infinity, label.right, label.bottom];
    for (let y = top; y <= bottom; y += 24)
      for (let x = frame.left; x <= frame.right - width; x += 24) {
        const box = { left: x - 6, top: y - 6, right: x + width + 6, bottom: y + height + 6 };
        const away = Math.hypot(x + width / 2 - label.x - label.width / 2, y + height / 2 - label.y - label.height / 2);
        const cost = kept.reduce((sum, other) => sum + overlap(box, other), 0) * 1000 + away;
        if (cost < best[0]) best = [cost, x, y];
      }
    place(best[1], best[2]);
  };
  const hide = () => { tip.hidden = true; };

  // The drawing: whatever touches the chosen label is lit up, the rest fades.
  const choose = (node) => {
    for (const drawing of all(".graph")) {
      const label = node && drawing.contains(node) ? node.dataset.row : "";
      const close = new Set(label ? [label] : []);
      drawing.classList.toggle("chosen", Boolean(label));
      for (const arrow of all(".arrow, .type", drawing)) {
        const touches = label !== "" && [arrow.dataset.start, arrow.dataset.end].includes(label);
        arrow.classList.toggle("close", touches);
        if (touches) close.add(arrow.dataset.start).add(arrow.dataset.end);
      }
      for (const other of all(".node", drawing)) other.classList.toggle("close", close.has(other.dataset.row));
    }
    if (node) showBeside(node);
  };
  let chosen = null;
  document.addEventListener("pointermove", (event) => {
    if (event.pointerType === "touch") return;
    const node = event.target.closest(".node");
    if (node !== chosen) choose(chosen = node);
    if (!node) show(event.target.closest("[data-tip]"), event.clientX, event.clientY);
  });
  document.addEventListener("pointerleave", hide);
  document.addEventListener("focusin", (event) => {
    const node = event.target.closest(".node");
    if (node && node.matches(":focus-visible")) choose(chosen = node);
  });
  document.addEventListener("focusout", (event) => {
    if (event.target.closest(".node")) choose(chosen = null), hide();
  });
  addEventListener("scroll", () => { if (!chosen) hide(); }, { capture: true, passive: true });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
  // A finger cannot point: its first tap on a label or arrow shows, its second follows the link.
  let tapped = null;
  document.addEventListener("click", (event) => {
    const target = event.target.closest("[data-tip]");
    const touch = event.pointerType === "touch";
    if (touch && target !== tapped) {
      const node = target && target.closest(".node");
      choose(chosen = node);
      if (!node) show(target, event.clientX, event.clientY);
      if (target && target.closest(".graph")) event.preventDefault();
    } else if (event.target.closest(".graph a")) choose(chosen = null), hide();
    tapped = touch ? target : null;
  });

  // The filter: rows whose text has every word, in all tables and in the drawing.
  const filter = document.getElementById("filter");
  const search = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const matches = (text) => words.every((word) => text.toLowerCase().includes(word));
    for (const row of all("[data-find]")) row.hidden = !matches(row.textContent);
    for (const body of all(".entities tbody")) body.hidden = !all("[data-find]", body).some((row) => !row.hidden);
    for (const reason of all("details")) reason.hidden = !all("[data-find]", reason).some((body) => !body.hidden);
    for (const drawn of all(".graph [data-row]"))
      drawn.classList.toggle("unwanted", document.getElementById(drawn.dataset.row).hidden);
    const found = all(".entities [data-find]").filter((row) => !row.hidden).length;
    status.textContent = words.length ? `${found} of ${all(".entities [data-find]").length} labels and patterns` : "";
  };
  filter.addEventListener("input", search);
  filter.addEventListener("keydown", (event) => {
    if (event.key === "Escape") filter.value = "", search();
    if (event.key === "Enter") document.getElementById("labels").scrollIntoView();
  });

  // Sorting: down, up, and back to the groups.
  const value = (row, column, numeric) => {
    const cell = row.cells[column];
    const text = cell.dataset.value ?? cell.textContent;
    return numeric ? parseFloat(text.replaceAll(",", "")) || 0 : text;
  };
  for (const table of all("table.sortable")) {
    const bodies = all("tbody", table).map((body) => [body, [...body.rows]]);
    const sort = (column, numeric, direction) => {
      for (const [body, rows] of bodies) body.append(...rows);
      for (const [, rows] of bodies) for (const row of rows) if (row.matches(".group")) row.hidden = direction !== 0;
      if (!direction) return;
      const rows = bodies.flatMap(([, rows]) => rows.filter((row) => !row.matches(".group")));
      const keys = new Map(rows.map((row) => [row, value(row, column, numeric)]));
      const compare = numeric ? (a, b) => a - b : (a, b) => a.localeCompare(b);
      bodies[0][0].append(...rows.sort((a, b) => direction * compare(keys.get(a), keys.get(b))));
    };
    for (const heading of all("th[data-sort]", table)) {
      const numeric = heading.dataset.sort === "number";
      const button = document.createElement("button");
      button.type = "button";
      button.append(...heading.childNodes);
      heading.append(button);
      button.addEventListener("click", () => {
        const order = numeric ? ["descending", "ascending", null] : ["ascending", "descending", null];
        const next = order[(order.indexOf(heading.getAttribute("aria-sort")) + 1) % 3];
        for (const other of all("[aria-sort]", table)) other.removeAttribute("aria-sort");
        if (next) heading.setAttribute("aria-sort", next);
        sort(heading.cellIndex, numeric, { ascending: 1, descending: -1 }[next] ?? 0);
        search();
      });
    }
  }

  // Copying, also where the page was not loaded over TLS.
  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const field = document.createElement("textarea");
      field.value = text;
      document.body.append(field);
      field.select();
      document.execCommand("copy");
      field.remove();
    }
  };
  for (const button of all("button.copy"))
    button.addEventListener("click", async () => {
      await copy(button.dataset.copy);
      status.textContent = "Copied: " + button.dataset.copy;
      button.focus();
      setTimeout(() => { if (status.textContent.startsWith("Copied")) search(); }, 2500);
    });

  // Links: their target is shown whatever hides it, and the section in sight is marked.
  const reveal = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    if (target.closest("[hidden]")) filter.value = "", search();
    const folded = target.closest("details");
    if (folded && !folded.open) folded.open = true, target.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  reveal();
  const links = all("nav a");
  const sections = links.map((link) => document.getElementById(link.hash.slice(1)));
  const mark = () => {
    const atEnd = innerHeight + scrollY >= document.documentElement.scrollHeight - 2 && scrollY > 0;
    const passed = sections.filter((section) => atEnd || section.getBoundingClientRect().top < 160);
    const current = passed.at(-1) ?? sections[0];
    links.forEach((link, index) => {
      if (sections[index] === current) link.setAttribute("aria-current", "location");
      else link.removeAttribute("aria-current");
    });
  };
  addEventListener("scroll", mark, { passive: true });
  mark();

  let closed = [];
  addEventListener("beforeprint", () => {
    closed = all("details:not([open])");
    for (const details of closed) details.open = true;
  });
  addEventListener("afterprint", () => { for (const details of closed) details.open = false; });
})();
