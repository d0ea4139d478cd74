// The way back to the product: a message to the page that opened this window, at the exact origin that the session
// names, or the link. The link is the way wherever nobody answers the message.
"use strict";
const link = document.getElementById("return");
const message = JSON.parse(document.getElementById("message").textContent);
const { origin } = link.dataset;
const waits = "waits" in link.dataset; // a choice may be left: the window stays until the opener says how it goes on
const PATIENCE_MS = 2500;
let patience = 0;

function tellOpener() {
  window.opener.postMessage(message, origin);
  window.opener.postMessage(message, location.origin); // a frame of ours, which passes it on
  patience = setTimeout(() => location.replace(link.href), PATIENCE_MS);
}

window.addEventListener("message", (event) => {
  const isOpener = event.source === window.opener && [origin, location.origin].includes(event.origin);
  const answer = event.data;
  if (!isOpener || answer?.source !== "latchkey" || answer.connect_session !== message.connect_session) return;
  clearTimeout(patience);
  if (answer.next) {
    if (new URL(answer.next, location.href).origin === location.origin) location.replace(answer.next);
  } else if (answer.done && link.dataset.onwards) {
    location.replace(link.dataset.onwards); // the page of one's own connections, from which this was begun
  } else if ((!waits || !answer.received) && !link.dataset.onwards) {
    window.close();
  }
});

const hasOpener = () => window.opener && !window.opener.closed;
if (!("now" in link.dataset)) {
  link.addEventListener("click", (event) => {
    if (!hasOpener()) return;
    event.preventDefault();
    tellOpener();
  });
} else if (hasOpener()) {
  tellOpener();
} else {
  location.replace(link.href);
}
