// Tells the embedding page that this session leads nowhere any more, when the person has read so.
"use strict";
const said = document.getElementById("problem").dataset;
const tell = (what) => window.parent.postMessage({ source: "latchkey", connect_session: said.session, ...what }, said.origin);
const leave = () => tell({ event: "exit", error: said.failure });
document.getElementById("leave").addEventListener("click", leave);
document.addEventListener("keydown", (event) => event.key === "Escape" && leave());
tell({ event: "ready" });
