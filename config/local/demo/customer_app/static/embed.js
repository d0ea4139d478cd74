// Opens Latchkey's widget over this page. Without this script the form beside it leads there and back.
"use strict";
const button = document.getElementById("connect-here");
const notice = document.getElementById("connect-notice");
let widget = null;

async function post(path, fields) {
  const body = new URLSearchParams({ csrf_token: button.dataset.csrf, ...fields });
  const answer = await fetch(path, { method: "POST", body, redirect: "error" });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

function say(text) {
  notice.textContent = text;
  notice.hidden = !text;
  button.disabled = false;
}

button.hidden = false;
button.addEventListener("click", async () => {
  button.disabled = true;
  try {
    const { token } = await post("/connect/token");
    widget?.destroy();
    widget = Latchkey.create({
      token,
      title: "Connect Sandbox",
      onConfirm: (completion_code, connect_session) => post("/confirm", { completion_code, connect_session }),
      onSuccess: ({ connection }) => location.assign(`/connections/${connection}`),
      onExit: ({ error }) => say(error ? "Nothing was connected. Try again." : ""),
    });
    widget.open();
  } catch {
    say("That did not work. Try again.");
  }
});
