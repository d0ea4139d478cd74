// What a page of ours tells the page around it, at the exact origin that the session names; nothing where it names none.
"use strict";
const { session, origin: embedder } = document.querySelector("[data-session]").dataset;
const isFramed = window.parent !== window;

function tell(what) {
  if (isFramed && embedder) window.parent.postMessage({ source: "latchkey", connect_session: session, ...what }, embedder);
}

// The frame gets as high as what it shows. In a frame that is taken away nothing is shown.
function fit() {
  const shown = [...document.querySelector("main").children].filter((part) => part.offsetHeight).pop();
  if (shown) tell({ event: "size", height: Math.ceil(shown.getBoundingClientRect().bottom + window.scrollY) + 28 });
}

// A person leaves by the key that closes every dialog, or by a button.
function letLeave(leave) {
  document.addEventListener("keydown", (event) => event.key === "Escape" && leave());
  for (const button of document.querySelectorAll("[data-leave]")) {
    button.hidden = false;
    button.addEventListener("click", leave);
  }
}

function greet() {
  fit();
  new ResizeObserver(fit).observe(document.querySelector("main"));
  tell({ event: "ready" });
}
