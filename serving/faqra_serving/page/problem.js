/** Tells what went wrong, in words, and asks for the key where that is what is missing. */
import { hasSentence, write } from "./language.js";

const place = document.getElementById("problem");
const keyForm = document.getElementById("key-form");

const paragraph = (key, values) => write(document.createElement("p"), key, values);

export function showProblem(error) {
  const key = `error.${error.code}`;
  const known = hasSentence(key);
  place.replaceChildren(paragraph(known ? key : "error.other", error.values));
  if (error.seconds) place.append(paragraph("retryIn", { seconds: error.seconds }));
  else if (error.status === 429 || error.status === 503) place.append(paragraph("retrySoon"));
  if (error.detail && !known) place.append(inTheServicesWords(error));
}

export function clearProblem() {
  place.replaceChildren();
}

/** Show the form for the key; with `take` the keyboard goes there. */
export function askForKey({ take }) {
  keyForm.hidden = false;
  if (take) document.getElementById("key").focus();
}

function inTheServicesWords({ detail, field }) {
  const words = document.createElement("p");
  words.className = "note";
  words.lang = "en";
  words.dir = "ltr";
  words.textContent = field ? `${field}: ${detail}` : detail;
  return words;
}
