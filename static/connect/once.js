// A form that was sent is not sent again by an impatient second click.
"use strict";
const form = document.getElementById("workspace");
form.addEventListener("submit", (event) => {
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => delete form.dataset.sent);
