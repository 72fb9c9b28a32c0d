/** The service, as the page asks it; every failure is a `ServiceError`. Knows no element. */
import { recall, remember } from "./memory.js";
import { looksLikeHtml } from "./text.js";

const KEY = "faqra.key";
// What a header can carry; fetch refuses anything else as if the network had failed.
const POSSIBLE_KEY = /^[\x21-\x7e]+$/;

/** `code` as the service gave it or one of the page's own, `detail` its words for people. */
export class ServiceError extends Error {
  constructor(code, { status = 0, detail = "", field = "", seconds = null, values = {} } = {}) {
    super(detail || code);
    Object.assign(this, { code, status, detail, field, seconds, values });
  }
}

/** Keep the key while the tab is open; false where no service can have such a key. */
export function keepKey(key) {
  if (!POSSIBLE_KEY.test(key)) return false;
  remember("sessionStorage", KEY, key);
  return true;
}

export const askModel = async () => (await ask("v1/model")).answer;

/** The answer for one page of text or HTML, and the very characters it came in. */
export async function classifyPage(page, signal) {
  const article = looksLikeHtml(page) ? { html: page } : { text: page };
  const { answer, raw } = await ask("v1/articles", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ articles: [article] }),
    signal,
  });
  const [first] = answer.articles ?? [];
  if (first?.error) throw errorFrom(first, 413, null);
  if (!Array.isArray(first?.paragraphs)) throw new ServiceError("unreadable_answer");
  if (first.paragraphs.length === 0) throw new ServiceError("nothing_visible");
  return { answer, raw, paragraphs: first.paragraphs };
}

/** Addresses are relative to the page, so that it also works below a proxy's path. */
async function ask(address, options = {}) {
  const key = recall("sessionStorage", KEY);
  const headers = { ...options.headers, ...(key && { Authorization: `Bearer ${key}` }) };
  let response;
  let raw;
  try {
    response = await fetch(address, { ...options, headers });
    raw = await response.text();
  } catch (error) {
    throw new ServiceError("network", { detail: String(error.message) });
  }
  const answer = parsed(raw);
  const { status } = response;
  if (!response.ok) {
    if (status === 401 && key) throw new ServiceError("wrong_key", { status });
    throw errorFrom(answer, status, secondsFrom(response.headers.get("Retry-After")));
  }
  if (answer === null) throw new ServiceError("unreadable_answer", { status });
  return { answer, raw };
}

/** An error answer; what stands between the page and the service may answer in another shape. */
function errorFrom(answer, status, seconds) {
  const byStatus = { 401: "unauthorized", 413: "body_too_large", 429: "too_busy" };
  const { code = byStatus[status] ?? `http_${status}`, message, field } = answer?.error ?? {};
  const detail = message ?? `HTTP ${status}`;
  return new ServiceError(code, { status, seconds, detail, field });
}

function parsed(raw) {
  try {
    const answer = JSON.parse(raw);
    return typeof answer === "object" ? answer : null;
  } catch {
    return null;
  }
}

/** Retry-After is a number of seconds or, from some proxies, a date. */
function secondsFrom(header) {
  const seconds = /^\d+$/.test(header ?? "")
    ? Number(header)
    : Math.ceil((Date.parse(header) - Date.now()) / 1000);
  return seconds > 0 ? seconds : null;
}
