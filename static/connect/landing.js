// Moves the token from the fragment, which browsers send to nobody, into the form; then hides it from the address bar.
"use strict";
const token = location.hash.slice(1);
if (token) {
  document.getElementById("token").value = token;
  document.getElementById("continue").disabled = false;
  history.replaceState(null, "", location.pathname);
} else {
  document.getElementById("no-token").hidden = false;
}

// In a frame the flow runs in a window of its own. Its result comes here and is passed on to the embedding page; the
// answer of that page goes back to the window.
let flow = null;
let embedder = null;
window.addEventListener("message", (event) => {
  if (window.parent === window || event.data?.source !== "latchkey") return;
  if (event.origin === location.origin && event.data.origin) {
    flow = event.source;
    embedder = event.data.origin;
    window.parent.postMessage(event.data, embedder);
  } else if (flow && event.source === window.parent && event.origin === embedder) {
    flow.postMessage(event.data, location.origin);
  }
});
