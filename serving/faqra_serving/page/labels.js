/** How labels look: their tones, and which of them make the reporting. The rest comes from the model. */

// As faqra_models.prediction has it: below this the second label is often the right one.
export const LOW_CONFIDENCE = 0.6;
export const REPORTING = new Set(["factual_report", "official_quote"]);

const TONES = new Map([
  ["factual_report", "report"],
  ["official_quote", "quote"],
  ["editorial_commentary", "opinion"],
  ["boilerplate", "noise"],
]);
const OTHER_TONES = 4;

/** The tone of each label; a model's other labels get theirs by their place. */
export function tonesOf(labels) {
  const others = labels.filter((label) => !TONES.has(label));
  return new Map(
    labels.map((label) => [
      label,
      TONES.get(label) ?? `other-${(others.indexOf(label) % OTHER_TONES) + 1}`,
    ]),
  );
}
