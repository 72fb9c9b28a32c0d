/**
 * What a pasted text or a file is: HTML or plain text, in which charset, in which direction.
 * The rules are those of `faqra_data.html` and `faqra_data.charset`, as far as a browser needs them.
 */
const MARKUP_AT_START = /^\s*<(?:!doctype|!--|\?xml|[a-z][a-z0-9-]*[\s/>])/i;
const END_TAG = /<\/[a-z][a-z0-9-]*\s*>|<br\s*\/?>/gi;
const META_CHARSET = /<(?:meta\b[^>]*?\bcharset|\?xml\b[^>]*?\bencoding)\s*=\s*["']?\s*([\w:.-]+)/i;
const PROBE_CHARACTERS = 10_000;
const PRESCAN_BYTES = 4096;
const ARABIC = /\p{Script=Arabic}/u;
const LATIN = /\p{Script=Latin}/u;

export function looksLikeHtml(text) {
  const probe = text.slice(0, PROBE_CHARACTERS);
  return MARKUP_AT_START.test(probe) || (probe.match(END_TAG) ?? []).length > 2;
}

/** Latin alone runs left to right; beside Arabic it stands in Arabic, whichever comes first. */
export const runsLeftToRight = (text) => LATIN.test(text) && !ARABIC.test(text);

/** The text of a file's bytes, or null where they are no text. */
export function decode(bytes) {
  const text = new TextDecoder(charsetOf(bytes)).decode(bytes);
  return text.includes("\0") ? null : text;
}

function charsetOf(bytes) {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le";
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "utf-16be";
  return isUtf8(bytes) ? "utf-8" : (declaredCharset(bytes) ?? "windows-1256");
}

/**
 * Whether more characters are proper UTF-8 than are broken: one cut in two at a file's end makes
 * no other charset of it, and a charset of one byte a character hardly ever forms a proper one.
 */
function isUtf8(bytes) {
  const text = new TextDecoder().decode(bytes);
  const broken = (text.match(/\ufffd/g) ?? []).length;
  const beyondAscii = (text.match(/[^\0-\x7f]/gu) ?? []).length;
  return broken === 0 || beyondAscii - broken > broken;
}

/** The charset that the page's head names, where browsers know it and the bytes do not refute it. */
function declaredCharset(bytes) {
  const head = new TextDecoder("latin1").decode(bytes.subarray(0, PRESCAN_BYTES));
  try {
    const charset = new TextDecoder(head.match(META_CHARSET)?.[1] ?? "").encoding;
    return charset.startsWith("utf-") ? null : charset;
  } catch {
    return null;
  }
}
