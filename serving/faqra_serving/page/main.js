/** Joins the page's parts: what is pasted, dropped or pressed leads to a request and its answer. */
import { clear, startLanguage, write } from "./language.js";
import { askForKey, clearProblem, showProblem } from "./problem.js";
import { copyReporting, countsInWords, showResult } from "./result.js";
import { SAMPLE } from "./sample.js";
import { ServiceError, askModel, classifyPage, keepKey } from "./service.js";
import { decode, looksLikeHtml, runsLeftToRight } from "./text.js";

const part = (id) => document.getElementById(id);
const [form, page, status, keyForm] = ["ask", "page", "status", "key-form"].map(part);
const NEEDS_KEY = new Set(["unauthorized", "wrong_key"]);

// A service that says nothing else takes as much; a larger file is not even read.
let mostBytes = 8 * 2 ** 20;
let running = null;

function fill(text) {
  page.value = text;
  look();
}

/** Say how the text will be read, and let it run in its own direction. */
function look() {
  const text = page.value;
  const html = looksLikeHtml(text);
  write(part("kind"), text.trim() ? (html ? "kindHtml" : "kindText") : "hint");
  if (text.trim()) page.dir = html || runsLeftToRight(text) ? "ltr" : "rtl";
  else page.removeAttribute("dir");
}

/** A new request takes the place of one that is under way. */
async function classify() {
  running?.abort();
  running = null;
  clearProblem();
  if (!page.value.trim()) {
    rest();
    fail(new ServiceError("empty"));
    page.focus();
    return;
  }
  const mine = new AbortController();
  running = mine;
  work();
  try {
    const said = await classifyPage(page.value, mine.signal);
    if (running === mine) succeed(said);
  } catch (error) {
    if (running === mine) fail(error);
  }
  if (running === mine) {
    running = null;
    rest();
  }
}

function work() {
  write(status, "waiting");
  part("progress").hidden = part("cancel").hidden = false;
  part("result").setAttribute("aria-busy", "true");
}

function rest() {
  if (status.dataset.text === "waiting") clear(status);
  part("progress").hidden = part("cancel").hidden = true;
  part("result").removeAttribute("aria-busy");
}

function succeed(said) {
  showModel(said.answer.model);
  showResult(said);
  part("legend").open = false;
  keyForm.hidden = true;
  write(status, "done");
  part("counts").replaceChildren(...countsInWords());
  part("result-title").focus();
}

function fail(error) {
  if (!(error instanceof ServiceError)) {
    showProblem(new ServiceError("unreadable_answer"));
    throw error;
  }
  showProblem(error);
  if (NEEDS_KEY.has(error.code)) askForKey({ take: true });
}

function showModel({ name, digest, labels, limits }) {
  write(part("model"), "model", { name, digest });
  mostBytes = limits?.body_bytes ?? mostBytes;
  const meanings = [...document.querySelectorAll("#legend [data-label]")];
  for (const meaning of meanings) meaning.hidden = !labels.includes(meaning.dataset.label);
  part("legend").hidden = meanings.every((meaning) => meaning.hidden);
}

/** What the footer shows is no reason to trouble anybody: a request will tell what is wrong. */
async function introduce() {
  try {
    showModel(await askModel());
  } catch (error) {
    if (NEEDS_KEY.has(error.code)) askForKey({ take: false });
  }
}

async function readFile(file) {
  clearProblem();
  const values = { file: file.name, megabytes: mostBytes / 2 ** 20 };
  if (file.size > mostBytes) return fail(new ServiceError("file_too_large", { values }));
  try {
    const text = decode(new Uint8Array(await file.arrayBuffer()));
    if (text === null) return fail(new ServiceError("not_text", { values }));
    fill(text);
    return write(status, "fileRead", values);
  } catch {
    return fail(new ServiceError("file_unreadable", { values }));
  }
}

const bringsFiles = (event) => event.dataTransfer?.types.includes("Files");

function acceptDrops() {
  // Anywhere: a file dropped beside the box would otherwise take the page's place.
  addEventListener("dragover", (event) => {
    if (!bringsFiles(event)) return;
    event.preventDefault();
    form.classList.add("dropping");
  });
  addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) form.classList.remove("dropping");
  });
  addEventListener("drop", (event) => {
    form.classList.remove("dropping");
    if (!bringsFiles(event)) return;
    event.preventDefault();
    const [file] = event.dataTransfer.files;
    if (file) readFile(file);
  });
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  classify();
});
form.addEventListener("reset", () => {
  fill("");
  clear(status);
  clearProblem();
  page.focus();
});
page.addEventListener("input", () => {
  look();
  if (!running) clear(status); // what it says is of the text before
});
page.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) classify();
});
part("cancel").addEventListener("click", () => {
  running?.abort();
  running = null;
  rest();
  write(status, "cancelled");
  page.focus();
});
part("file").addEventListener("change", ({ target }) => {
  if (target.files.length > 0) readFile(target.files[0]);
  target.value = ""; // so that the same file can be chosen again
});
part("sample").addEventListener("click", () => fill(SAMPLE));
part("copy").addEventListener("click", copyReporting);
keyForm.addEventListener("submit", (event) => {
  event.preventDefault();
  const key = part("key");
  if (!keepKey(key.value.trim())) return fail(new ServiceError("wrong_key"));
  key.value = "";
  keyForm.hidden = true;
  clearProblem();
  introduce();
  return page.value.trim() ? classify() : page.focus();
});

startLanguage(part("language"));
acceptDrops();
look();
introduce();
