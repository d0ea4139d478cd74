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

// In a frame the flow runs in a window of its own; its result comes here and is passed on to the embedding page.
window.addEventListener("message", (event) => {
  if (window.parent !== window && event.origin === location.origin && event.data?.source === "latchkey") {
    window.parent.postMessage(event.data, event.data.origin);
  }
});
