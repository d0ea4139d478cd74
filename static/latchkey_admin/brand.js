// Shows the form's brand in the frame beside it, without saving: the same form, sent to the preview.
"use strict";
const form = document.getElementById("brand_form");
const frame = document.querySelector(".preview-frame");
const address = document.getElementById("brand-script").dataset.preview;
let waiting = 0;

function show() {
  const { action, target } = form;
  form.action = address;
  form.target = frame.name;
  HTMLFormElement.prototype.submit.call(form);
  form.action = action;
  form.target = target;
}

form.addEventListener("input", (event) => {
  if (event.target.id === "preview-width") {
    frame.classList.toggle("wide", event.target.value === "wide");
    return;
  }
  clearTimeout(waiting);
  waiting = setTimeout(show, 400);
});
