/** One page's answer: its paragraphs, counts and filters, and the reporting in it to copy. */
import { clear, write } from "./language.js";
import { LOW_CONFIDENCE, REPORTING, tonesOf } from "./labels.js";
import { runsLeftToRight } from "./text.js";

const part = (id) => document.getElementById(id);
const isUnsure = (paragraph) => paragraph.confidence < LOW_CONFIDENCE;

function make(tag, className, ...children) {
  const element = document.createElement(tag);
  element.className = className;
  element.append(...children);
  return element;
}

const written = (tag, className, key, values) => write(make(tag, className), key, values);

let paragraphs = [];
let file = "";

/** `answer` is the service's, `raw` its characters, `shown` the paragraphs of its one page. */
export function showResult({ answer, raw, paragraphs: shown }) {
  paragraphs = shown;
  const tones = tonesOf(answer.model.labels);
  write(part("result-title"), "resultTitle", { count: paragraphs.length });
  part("paragraphs").replaceChildren(...paragraphs.map((one) => paragraphItem(one, tones)));
  showCounts(tones);
  clear(part("copied"));
  part("copy").hidden = !answer.model.labels.some((label) => REPORTING.has(label));
  part("copy").disabled = !paragraphs.some((one) => REPORTING.has(one.label));
  URL.revokeObjectURL(file);
  file = URL.createObjectURL(new Blob([raw], { type: "application/json" }));
  part("download").href = file;
  part("result").hidden = false;
  filter();
}

/** The counts in words, for those who do not see them. */
export function countsInWords() {
  const labels = [...new Set(paragraphs.map((one) => one.label))];
  return labels.flatMap((label) => [
    " ",
    written("span", "", "labelCount", { label, count: countOf((one) => one.label === label) }),
  ]);
}

const countOf = (wanted) => paragraphs.filter(wanted).length;

function paragraphItem(one, tones) {
  const summary = make(
    "summary",
    "said",
    written("b", "name", "labelled", { label: one.label }),
    " ",
    written("span", "confidence", "percent", { percent: one.confidence }),
  );
  if (isUnsure(one)) summary.append(" ", written("span", "mark", "unsure"));
  if (one.truncated) summary.append(" ", written("span", "mark", "truncated"));
  const text = make("p", "text");
  text.textContent = one.text;
  const leftToRight = runsLeftToRight(one.text);
  text.dir = leftToRight ? "ltr" : "rtl";
  if (!leftToRight) text.lang = "ar";
  const details = make("details", "", summary);
  // Thousands of paragraphs come at once, and few of them are opened.
  const open = () => details.append(probabilityList(one, tones));
  details.addEventListener("toggle", open, { once: true });
  const item = make("li", tones.get(one.label) ?? "", details, text);
  item.classList.toggle("unsure", isUnsure(one));
  return item;
}

function probabilityList(one, tones) {
  const ranked = Object.entries(one.probabilities).sort(([, a], [, b]) => b - a);
  const rows = ranked.map(([label, probability]) => {
    const bar = make("span", "bar");
    bar.style.inlineSize = `${100 * probability}%`;
    bar.setAttribute("aria-hidden", "true");
    return make(
      "li",
      tones.get(label) ?? "",
      written("span", "", "labelled", { label }),
      " ",
      written("span", "confidence", "percent", { percent: probability }),
      bar,
    );
  });
  return make(
    "div",
    "probabilities",
    written("p", "unseen", "probabilities"),
    make("ul", "", ...rows),
  );
}

function showCounts(tones) {
  const chips = [];
  const shares = [];
  for (const [label, tone] of tones) {
    const count = countOf((one) => one.label === label);
    const chip = filterChip(tone, count, "labelled", { label });
    chip.dataset.label = label;
    chips.push(chip);
    if (count > 0) {
      const share = make("span", tone);
      share.style.flexGrow = count;
      shares.push(share);
    }
  }
  const unsure = filterChip("unsure", countOf(isUnsure), "unsureOnly");
  part("filters").replaceChildren(...chips, unsure);
  part("shares").replaceChildren(...shares);
}

function filterChip(tone, count, key, values) {
  const share = { count, percent: count / paragraphs.length };
  const name = written("span", "name", key, values);
  const chip = make("button", `chip ${tone}`, name, " ", written("span", "", "countAndShare", share));
  chip.type = "button";
  chip.disabled = count === 0;
  chip.setAttribute("aria-pressed", "false");
  chip.addEventListener("click", () => {
    chip.setAttribute("aria-pressed", String(!isPressed(chip)));
    filter();
  });
  return chip;
}

const isPressed = (chip) => chip.getAttribute("aria-pressed") === "true";

/** No label pressed shows them all; 'low confidence' narrows what the labels leave. */
function filter() {
  const pressed = [...part("filters").children].filter(isPressed);
  const labels = new Set(pressed.map((chip) => chip.dataset.label).filter(Boolean));
  const unsureOnly = pressed.some((chip) => !chip.dataset.label);
  const items = part("paragraphs").children;
  let count = 0;
  paragraphs.forEach((one, index) => {
    const keep = (labels.size === 0 || labels.has(one.label)) && (!unsureOnly || isUnsure(one));
    items[index].hidden = !keep;
    count += Number(keep);
  });
  write(part("shown"), "shown", { count, all: paragraphs.length });
}

/** Copy the reports and quotes, as text, and say whether it worked. */
export async function copyReporting() {
  const texts = paragraphs.filter((one) => REPORTING.has(one.label)).map((one) => one.text);
  const copied = await putOnClipboard(texts.join("\n\n"));
  if (copied) write(part("copied"), "copied", { count: texts.length });
  else write(part("copied"), "copyFailed");
}

/** Browsers give the clipboard to https and localhost alone; elsewhere the old command still works. */
async function putOnClipboard(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const focused = document.activeElement;
    const area = make("textarea", "unseen");
    area.value = text;
    document.body.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    focused?.focus();
    return copied;
  }
}
