// The pages of one's own connections: times as this browser's owner tells them, and no form sent twice.
"use strict";
const language = document.documentElement.lang;
const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60]];

function told(moment, isExact) {
  const seconds = (moment - Date.now()) / 1000;
  const [unit, length] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? ["minute", 60];
  if (unit !== "day" && !isExact) return new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(Math.round(seconds / length), unit);
  return new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(moment);
}

for (const time of document.querySelectorAll("time")) {
  const moment = Date.parse(time.dateTime);
  if (Number.isNaN(moment)) continue;
  time.title = new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "long" }).format(moment);
  time.textContent = told(moment, "exact" in time.dataset);
}

// From and until are one where both are told in the same words.
for (const since of document.querySelectorAll(".since")) {
  since.hidden = since.querySelector("time").textContent === since.parentElement.querySelector(":scope > bdi time").textContent;
}

for (const form of document.forms) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault(); // an impatient second click
    form.dataset.sent = "yes";
  });
}
window.addEventListener("pageshow", (event) => {
  if (event.persisted) location.replace(location.href); // a browser may keep pages in memory: the visit may be over
  for (const form of document.forms) delete form.dataset.sent;
});
