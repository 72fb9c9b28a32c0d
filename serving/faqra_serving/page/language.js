/**
 * Writes the page's words, and writes them again when the language changes: an element keeps
 * the key of its sentence and the values in it, so nothing has to be built anew and nothing that
 * a reader opened, chose or stands on is lost. This module does not know what the words are about.
 */
import { recall, remember } from "./memory.js";
import { STRINGS } from "./strings.js";

const DIRECTIONS = { ar: "rtl", en: "ltr" };
const NAME = "faqra.language";
const valuesOf = new WeakMap();
let language = recall("localStorage", NAME) === "en" ? "en" : "ar";

// Figures are 0 to 9 in both languages, as in faqra's reports. A name or a number from outside
// is isolated, so that it does not turn the words around it.
const isolated = (value) => `\u2068${value}\u2069`;
const number = new Intl.NumberFormat("en");

function measured(value, unit, unitDisplay) {
  const form = { style: "unit", unit, unitDisplay, maximumFractionDigits: 1 };
  return new Intl.NumberFormat(`${language}-u-nu-latn`, form).format(value);
}

const FORMATS = {
  label: (label) => STRINGS[language][`label.${label}`] ?? label,
  count: number.format,
  all: number.format,
  percent,
  seconds: (value) => measured(value, "second", "long"),
  megabytes: (value) => measured(value, "megabyte", "short"),
};

/** A share as a person reads it; never rounded up to certainty. */
export function percent(share) {
  return `${Math.round(100 * (share < 1 ? Math.min(share, 0.99) : share))}%`;
}

export const hasSentence = (key) => key in STRINGS[language];

function sentence(key, values) {
  return STRINGS[language][key].replace(/\{(\w+)\}/g, (_, name) =>
    (FORMATS[name] ?? isolated)(values[name]),
  );
}

/** Put a sentence into an element, in whatever language the page has or will have. */
export function write(element, key, values = {}) {
  element.dataset.text = key;
  valuesOf.set(element, values);
  element.textContent = sentence(key, values);
  return element;
}

export function clear(element) {
  delete element.dataset.text;
  element.textContent = "";
}

function speak() {
  const root = document.documentElement;
  root.lang = language;
  root.dir = DIRECTIONS[language];
  for (const element of document.querySelectorAll("[data-text]")) {
    element.textContent = sentence(element.dataset.text, valuesOf.get(element) ?? {});
  }
  for (const element of document.querySelectorAll("[data-placeholder]")) {
    element.placeholder = sentence(element.dataset.placeholder, {});
  }
}

/** Speak the remembered language, and the other one at each press of the button. */
export function startLanguage(button) {
  const other = () => (language === "ar" ? "en" : "ar");
  button.addEventListener("click", () => {
    language = other();
    remember("localStorage", NAME, language);
    speak();
    button.lang = other();
  });
  speak();
  button.lang = other();
}
