// Hands the result to the page that opened this window, at the exact origin that the session names.
"use strict";
const link = document.getElementById("return");
const message = JSON.parse(document.getElementById("message").textContent);
const origin = link.dataset.origin;
if (window.opener) {
  window.opener.postMessage(message, origin);
  window.opener.postMessage({ ...message, origin }, location.origin);
  window.close();
} else {
  location.replace(link.href);
}
