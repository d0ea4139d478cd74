// Names the fields in which a row is found by typing: select2 says what is chosen there, and not what for.
"use strict";
// After Django's script, which makes the fields.
django.jQuery(() => {
  for (const field of document.querySelectorAll("select.admin-autocomplete")) {
    const label = document.querySelector(`label[for="${field.id}"]`);
    const shown = field.parentElement.querySelector(".select2-selection");
    const chosen = shown?.querySelector(".select2-selection__rendered");
    if (!label || !chosen) continue;
    label.id ||= `${field.id}_label`;
    shown.setAttribute("aria-labelledby", `${label.id} ${chosen.id}`);
    chosen.removeAttribute("role"); // a text, which nobody types into
    chosen.removeAttribute("aria-readonly");
  }
});
