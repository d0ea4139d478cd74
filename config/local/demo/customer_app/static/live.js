// Keeps the page true without a reload: counts down to moments, and fetches the live part anew every few seconds.
"use strict";

function near(moment, past) {
  const seconds = Math.round((moment - Date.now()) / 1000);
  if (seconds > 0) return seconds < 120 ? `in ${seconds} s` : `in ${Math.round(seconds / 60)} min`;
  if (past !== "now") return past;
  if (seconds > -120) return seconds > -2 ? "just now" : `${-seconds} s ago`;
  return `${Math.round(-seconds / 60)} min ago`;
}

function tick() {
  for (const time of document.querySelectorAll("#live time")) {
    time.textContent = near(Date.parse(time.dateTime), time.dataset.past);
  }
}

async function renew() {
  const live = document.getElementById("live");
  // A button that has the focus must not be replaced under the finger.
  if (document.hidden || live.matches(":focus-within")) return;
  const answer = await fetch(live.dataset.source, { redirect: "error" }).catch(() => null);
  if (!answer?.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("live");
  if (fresh && fresh.innerHTML !== live.dataset.seen) {
    live.innerHTML = fresh.innerHTML;
    live.dataset.seen = fresh.innerHTML;
    tick();
  }
}

tick();
setInterval(tick, 1000);
setInterval(renew, 3000);
