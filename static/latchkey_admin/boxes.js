// The search among many boxes to tick. Without scripts it stays hidden, and all of them are there.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  for (const search of document.querySelectorAll(".boxes-search")) {
    const [sought, only] = search.querySelectorAll("input");
    const said = search.querySelector("[role=status]");
    const boxes = [...search.parentElement.querySelectorAll(".boxes label")].map((label) => {
      const heading = label.closest("fieldset")?.querySelector("legend").textContent ?? "";
      return { label, box: label.querySelector("input"), text: `${heading} ${label.textContent}`.toLowerCase() };
    });
    const groups = [...search.parentElement.querySelectorAll(".boxes fieldset")];

    const look = () => {
      const words = sought.value.toLowerCase().split(/\s+/).filter(Boolean);
      for (const { label, box, text } of boxes) {
        label.hidden = !words.every((word) => text.includes(word)) || (only.checked && !box.checked);
      }
      for (const group of groups) group.hidden = !group.querySelector("label:not([hidden])");
      const shown = boxes.filter(({ label }) => !label.hidden).length;
      const ticked = boxes.filter(({ box }) => box.checked).length;
      said.textContent = `${ticked} of ${boxes.length} ticked${shown < boxes.length ? `, ${shown} shown` : ""}`;
    };
    search.parentElement.addEventListener("input", look);
    sought.addEventListener("keydown", (event) => {
      if (event.key === "Enter") event.preventDefault(); // it would save the form
    });
    search.hidden = false;
    look();
  }
});
