// Moves the token from the fragment, which browsers send to nobody, into the form; then hides it from the address bar.
"use strict";
const form = document.getElementById("start");
const token = location.hash.slice(1);
if (token) {
  document.getElementById("token").value = token;
  document.getElementById("continue").disabled = false;
  history.replaceState(null, "", location.pathname);
} else {
  document.getElementById("no-token").hidden = false;
}

// In a frame the flow runs in a window of its own: only there is our cookie ours, and providers refuse frames.
let flow = null;
let watching = 0;

function show(name) {
  for (const part of document.querySelectorAll("[data-part]")) part.hidden = part.dataset.part !== name;
  document.getElementById("said").textContent = document.querySelector(`[data-part="${name}"] p`)?.textContent ?? "";
  document.querySelector(`[data-part="${name}"] button`)?.focus();
  fit();
}

// Where the embedding page severs all windows (COOP), this returns nothing although one opens: it shows this page then,
// and asks for the click once more.
function openWindow() {
  const [width, height] = [500, 720];
  const left = Math.max(0, (screen.availWidth - width) / 2);
  const top = Math.max(0, (screen.availHeight - height) / 2);
  const features = `popup,width=${width},height=${height},left=${left},top=${top}`;
  const again = flow && !flow.closed ? "" : `${location.pathname}#${token}`;
  return window.open(again, `latchkey-${session}`, features);
}

// A window that was severed from us counts as closed, too: what it does then, only the return page can tell.
function watch() {
  clearInterval(watching);
  watching = setInterval(() => {
    if (!flow.closed) return;
    clearInterval(watching);
    show("lost");
    tell({ event: "window.closed" });
  }, 400);
}

form.addEventListener("submit", (event) => {
  if (!isFramed) {
    if (form.dataset.sent) event.preventDefault(); // an impatient second click
    form.dataset.sent = "yes";
    return;
  }
  if (event.submitter?.dataset.way === "here") {
    form.target = "_top";
    return;
  }
  try {
    flow = openWindow();
  } catch {
    flow = null;
  }
  if (!flow || flow.closed) {
    event.preventDefault();
    show("blocked");
    tell({ event: "window.blocked" });
    return;
  }
  form.target = `latchkey-${session}`;
  flow.focus();
  show("elsewhere");
  tell({ event: "window.opened" });
  watch();
});
window.addEventListener("pageshow", () => delete form.dataset.sent);

function leave() {
  clearInterval(watching);
  flow?.close();
  tell({ event: "exit" });
}

if (isFramed && embedder) letLeave(leave);

// What the window says goes to the embedding page, and the answer of that page to the window; nothing of anybody else's.
window.addEventListener("message", (event) => {
  const said = event.data;
  if (!isFramed || !flow || said?.source !== "latchkey") return;
  if (![said.connect_session, said.management_session].includes(session)) return;
  if (event.source === flow && event.origin === location.origin) {
    tell(said);
    if (said.management_session) return; // its window goes on
    clearInterval(watching);
    show("told");
  } else if (event.source === window.parent && event.origin === embedder) {
    flow.postMessage(said, location.origin);
    if (said.next) {
      show("elsewhere");
      watch();
    }
  }
});
if (isFramed) greet();
