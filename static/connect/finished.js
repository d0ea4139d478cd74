// Hands the result to the page that opened this window, at the exact origin that the session names.
"use strict";
const link = document.getElementById("return");
const message = JSON.parse(document.getElementById("message").textContent);
const origin = link.dataset.origin;
const waits = "waits" in link.dataset;
if (window.opener) {
  window.opener.postMessage(message, origin);
  window.opener.postMessage({ ...message, origin }, location.origin);
  if (!waits) window.close();
} else {
  location.replace(link.href);
}

// There may be a choice left to make. The opener then answers with the `next` that the confirmation returned, and with
// no `next` where there is none.
window.addEventListener("message", (event) => {
  const isOpener = event.source === window.opener && [origin, location.origin].includes(event.origin);
  const answer = event.data;
  if (!waits || !isOpener || answer?.source !== "latchkey") return;
  if (answer.connect_session !== message.connect_session) return;
  if (!answer.next) window.close();
  else if (new URL(answer.next, location.href).origin === location.origin) location.replace(answer.next);
});
