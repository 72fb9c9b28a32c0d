"use strict";
(() => {
  const form = document.getElementById("filter");
  const boxes = [...form.querySelectorAll("input[name=label]")];
  const unsureBox = document.getElementById("unsure");
  const buttons = [...form.querySelectorAll("button[data-only]")];
  const articles = [...document.querySelectorAll("article")].map((article) => ({
    article,
    paragraphs: [...article.querySelectorAll("li[data-label]")],
  }));
  const all = articles.flatMap(({ paragraphs }) => paragraphs);
  const number = new Intl.NumberFormat("en");

  const counts = new Map(boxes.map((box) => [box.value, 0]));
  for (const { dataset } of all) counts.set(dataset.label, counts.get(dataset.label) + 1);
  for (const box of boxes) {
    const count = counts.get(box.value);
    const choice = box.closest(".choice");
    choice.querySelector(".count").textContent = number.format(count);
    if (count > 0) {
      const share = document.createElement("span");
      share.className = choice.classList[1];
      share.style.flexGrow = count;
      document.getElementById("shares").append(share);
    }
  }
  const unsure = all.filter((paragraph) => paragraph.classList.contains("unsure")).length;
  unsureBox.closest(".choice").querySelector(".count").textContent = number.format(unsure);

  const apply = () => {
    const wanted = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    let shown = 0;
    for (const { article, paragraphs } of articles) {
      let left = 0;
      for (const paragraph of paragraphs) {
        const keep =
          wanted.has(paragraph.dataset.label) &&
          (!unsureBox.checked || paragraph.classList.contains("unsure"));
        paragraph.hidden = !keep;
        if (keep) left += 1;
      }
      article.hidden = left === 0;
      shown += left;
    }
    document.getElementById("nothing").hidden = shown > 0;
    document.getElementById("shown").textContent =
      `المعروض ${number.format(shown)} من ${number.format(all.length)}`;
    for (const button of buttons) {
      const only = button.dataset.only;
      const pressed = boxes.every((box) => box.checked === (only === "" || box.value === only));
      button.setAttribute("aria-pressed", String(pressed));
    }
  };

  form.addEventListener("change", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  for (const button of buttons) {
    button.addEventListener("click", () => {
      for (const box of boxes) box.checked = !button.dataset.only || box.value === button.dataset.only;
      if (!button.dataset.only) unsureBox.checked = false;
      apply();
    });
  }
  apply();
  form.hidden = false;
})();
