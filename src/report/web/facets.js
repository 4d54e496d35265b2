// The choice of what a chart shows: a select for every field that has several values; the others in one sentence.
import { h, select } from "./dom.js";
import { chooseFacets } from "./model.js";

// change({rows, facets}) is called at once and after every choice.
export function makeFacets(allRows, change) {
  const chosen = {};
  const box = h("div", { class: "choices" });
  const draw = () => {
    const again = box.contains(document.activeElement) ? document.activeElement.dataset.field : null;
    const result = chooseFacets(allRows, chosen);
    const selects = result.facets
      .filter((facet) => facet.values.length > 1)
      .map((facet) => {
        const options = facet.values.map((value) => [value, facet.show(value)]);
        const control = select(facet.name, options, facet.value, (value) => {
          chosen[facet.field] = value;
          draw();
        });
        control.querySelector("select").dataset.field = facet.field;
        return control;
      });
    box.replaceChildren(...selects);
    for (const control of box.querySelectorAll("select")) if (control.dataset.field === again) control.focus();
    change(result);
  };
  return { box, start: draw };
}

// "allreduce, isolated, float32 sum, out of place, 8 ranks"
export function facetSentence(facets) {
  const plain = new Set([
    "no root",
    "all ranks",
    "no background traffic",
    "real network",
    "default order",
    "no reduction",
  ]);
  const words = facets
    .filter(
      (facet) =>
        facet.field !== "measured_ranks" || facet.value !== facets.find((other) => other.field === "rank_count").value,
    )
    .map((facet) => facet.show(facet.value))
    .filter((word) => !plain.has(word));
  return words.join(", ");
}
