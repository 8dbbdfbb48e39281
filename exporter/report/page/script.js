// The page is complete without this: it shows titles at once and in one place, highlights a label's neighbours, and opens
// what is folded before it is printed.
(() => {
  const tip = document.createElement("div");
  tip.id = "tip";
  tip.hidden = true;
  document.body.append(tip);
  for (const title of document.querySelectorAll("svg title")) {
    title.parentElement.dataset.tip = title.textContent;
    title.remove();
  }
  for (const titled of document.querySelectorAll("[title]")) {
    titled.dataset.tip = titled.title;
    titled.removeAttribute("title");
  }
  const move = (x, y) => {
    const box = tip.getBoundingClientRect();
    tip.style.left = Math.max(8, Math.min(x + 14, innerWidth - box.width - 8)) + "px";
    tip.style.top = (y + 18 + box.height > innerHeight ? Math.max(8, y - box.height - 12) : y + 18) + "px";
  };
  const show = (target, x, y) => {
    const source = target.closest("[data-tip]");
    tip.hidden = !source;
    if (source) {
      tip.textContent = source.dataset.tip;
      move(x, y);
    }
  };
  document.addEventListener("pointermove", (event) => show(event.target, event.clientX, event.clientY));
  document.addEventListener("pointerdown", (event) => show(event.target, event.clientX, event.clientY));
  document.addEventListener("pointerleave", () => { tip.hidden = true; });
  addEventListener("scroll", () => { tip.hidden = true; }, { capture: true, passive: true });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") tip.hidden = true; });

  const drawing = document.querySelector(".picture svg");
  const choose = (label) => {
    drawing.classList.toggle("chosen", Boolean(label));
    const near = new Set([label]);
    for (const arrow of drawing.querySelectorAll(".arrow")) {
      const touches = arrow.dataset.start === label || arrow.dataset.end === label;
      arrow.classList.toggle("near", touches);
      if (touches) near.add(arrow.dataset.start).add(arrow.dataset.end);
    }
    for (const node of drawing.querySelectorAll(".node")) node.classList.toggle("near", near.has(node.dataset.label));
  };
  for (const node of drawing.querySelectorAll(".node")) {
    node.addEventListener("pointerenter", () => choose(node.dataset.label));
    node.addEventListener("pointerleave", () => choose(""));
    node.addEventListener("blur", () => { choose(""); tip.hidden = true; });
    node.addEventListener("focus", () => {
      choose(node.dataset.label);
      const box = node.getBoundingClientRect();
      show(node, box.right, box.top);
    });
  }

  const reveal = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target && target.tagName === "DETAILS") target.open = true;
  };
  addEventListener("hashchange", reveal);
  reveal();
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    for (const details of closed) details.open = true;
  });
  addEventListener("afterprint", () => { for (const details of closed) details.open = false; });
})();
