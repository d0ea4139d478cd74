// Asks whether the code was entered, and goes on then. Without this script the page loads itself again instead.
"use strict";
const waiting = document.getElementById("waiting");
const patience = waiting.textContent;

async function ask() {
  let wait = 5;
  try {
    const answer = await fetch(waiting.dataset.state, { cache: "no-store" });
    const told = await answer.json();
    if (told.go) {
      location.replace(told.go);
      return;
    }
    wait = told.wait;
    waiting.textContent = patience;
  } catch {
    waiting.textContent = waiting.dataset.lost;
  }
  setTimeout(ask, wait * 1000);
}
setTimeout(ask, Number(waiting.dataset.wait) * 1000);

const copy = document.getElementById("copy");
if (navigator.clipboard) {
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById("user-code").textContent);
    copy.textContent = copy.dataset.done;
    document.getElementById("said").textContent = copy.dataset.done;
  });
}
