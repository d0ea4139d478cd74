/* Latchkey connect, version 1: opens the widget over a page of yours. Types and comments: connect.d.ts. */
(() => {
  "use strict";
  const SOURCE = "latchkey";
  const READY_MS = 15000;
  const RELAY_MS = 2000; // as long as the hidden frame stays, to pass the last answer on to its window
  const LATE_MS = 60000; // as long as a window that missed its answer is still told to close
  // Browsers inside other apps: a window that they open cannot talk to the page, and some show it nowhere.
  const IN_APP = /\bFB_IAB|\bFBA[NV]\b|Instagram|\bLine\/|MicroMessenger|Snapchat|Pinterest|TikTok|Bytedance|LinkedInApp|; wv\)/;
  const DIALOG =
    "position:fixed;inset:0;width:100%;height:100%;max-width:none;max-height:none;margin:0;padding:0;border:0;" +
    "background:rgb(12 16 24/.56);overscroll-behavior:contain;display:grid;place-items:center;z-index:2147483647";
  const FRAME = "border:0;width:min(460px,100%);height:min(440px,100%);border-radius:14px;color-scheme:light dark";
  const own = document.currentScript && new URL("../..", document.currentScript.src).href; // below it is connect/v1

  /** Return whatever reaches other pages of this product, or nothing where the browser has no such channel. */
  const openChannel = () => ("BroadcastChannel" in window ? new BroadcastChannel(SOURCE) : null);

  function create(options) {
    const [, manages, session] = /^(manage\.)?([0-9a-f-]{36})\.[\w-]+$/.exec(options.token) ?? [];
    if (!session) throw new TypeError("Latchkey: `token` is not the token of a session");
    if (typeof options.onConfirm !== "function") throw new TypeError("Latchkey: `onConfirm` is missing");
    const base = new URL(options.url || own);
    const home = base.origin;
    const address = `${home}${base.pathname.replace(/\/+$/, "")}/connect/${manages ? "manage/" : ""}${session}#${options.token}`;
    const title = options.title || (manages ? "Your connections" : "Connect an account");
    const confirmed = new Map(); // by completion code: a message that comes twice is confirmed once
    const seen = new Set(); // the codes that were handed over, whatever came of it
    let dialog = null;
    let frame = null;
    let channel = null;
    let timer = 0;
    let isOver = false;

    const call = (name, ...values) => {
      try {
        options[name]?.(...values);
      } catch (error) {
        setTimeout(() => { throw error; }); // it is the page's own: for its console
      }
    };
    const report = (name, detail = {}) => call("onEvent", name, { ...detail, session });
    const toFrame = (message) => frame?.contentWindow?.postMessage(stamped(message), home);
    const isOurs = (said) => said?.source === SOURCE && [said.connect_session, said.management_session].includes(session);
    const stamped = (message) => ({ source: SOURCE, connect_session: session, ...message });

    function takeAway({ isSettled = false } = {}) {
      clearTimeout(timer);
      removeEventListener("message", heard);
      const gone = dialog;
      if (gone) {
        gone.close?.();
        gone.style.display = "none";
        setTimeout(() => gone.remove(), RELAY_MS);
      }
      if (isSettled) answerLate(channel);
      else channel?.close();
      dialog = frame = channel = null;
    }

    // A window that got no answer in time goes to the return page, which asks on the channel although all is settled.
    function answerLate(late) {
      late?.addEventListener("message", ({ data: said }) => {
        if (channel || !isOurs(said) || said.done || said.received || said.next) return;
        if (said.completion_code && !seen.has(said.completion_code)) return; // nobody has confirmed it: it stays in sight
        late.postMessage(stamped({ management_session: said.management_session, done: true }));
      });
      setTimeout(() => late?.close(), LATE_MS);
    }

    function exit(detail) {
      if (!dialog || isOver) return;
      takeAway({ isSettled: detail.reason === "error" });
      report("exit", detail);
      call("onExit", detail);
    }

    function succeed(result) {
      if (isOver) return;
      isOver = true;
      takeAway({ isSettled: true });
      report("success");
      call("onSuccess", result);
    }

    // A visit to the page of the end user's own connections goes on after each connection that is made from it.
    function succeedOnce(result, said) {
      if (!said.management_session) return succeed(result);
      report("success");
      call("onSuccess", result);
    }

    // What the flow ended with, from the frame or from the return page. `reply` answers whoever said it.
    function ended(said, answer) {
      if (isOver) return;
      const { connect_session, management_session } = said;
      const reply = (message) => answer({ connect_session, management_session, ...message });
      if (said.completion_code) {
        reply({ received: true });
        confirm(said, reply);
      } else if (said.connection) {
        reply({ done: true });
        succeedOnce({ connection: said.connection }, said);
      } else if (said.left) {
        reply({ done: true });
        exit({ reason: "closed" });
      } else if (said.error) {
        reply({ done: true });
        exit({ reason: "error", error: String(said.error) });
      }
    }

    async function confirm(said, reply) {
      const code = said.completion_code;
      seen.add(code);
      if (!confirmed.has(code)) confirmed.set(code, (async () => options.onConfirm(code, said.connect_session, said.management_session))());
      try {
        const result = await confirmed.get(code);
        if (result?.next) {
          confirmed.delete(code); // the choice may come back with the same one
          reply({ next: String(result.next) });
          report("choice");
          return;
        }
        reply({ done: true });
        succeedOnce(result, said);
      } catch (cause) {
        confirmed.delete(code);
        reply({ done: true });
        if (said.management_session) return report("error", { error: "confirmation_failed" });
        exit({ reason: "error", error: "confirmation_failed", cause });
      }
    }

    function heard(event) {
      const said = event.data;
      if (!frame || event.source !== frame.contentWindow || event.origin !== home) return;
      if (!isOurs(said)) return;
      if (said.event === "ready") {
        clearTimeout(timer);
        report("ready");
        call("onReady");
      } else if (said.event === "size") {
        frame.style.height = `min(${Number(said.height) || 0}px,100%)`;
      } else if (said.event === "exit") {
        exit(said.error ? { reason: "error", error: String(said.error) } : { reason: "closed" });
      } else if (said.event) {
        report(String(said.event));
      } else {
        ended(said, toFrame);
      }
    }

    function open() {
      if (dialog || isOver) return;
      if (options.mode === "redirect" || (options.mode !== "modal" && IN_APP.test(navigator.userAgent))) {
        report("redirect");
        location.assign(address);
        return;
      }
      dialog = document.createElement("dialog");
      dialog.style.cssText = DIALOG;
      dialog.setAttribute("aria-label", title);
      dialog.addEventListener("cancel", (event) => {
        event.preventDefault();
        exit({ reason: "closed" });
      });
      frame = document.createElement("iframe");
      frame.style.cssText = FRAME;
      frame.title = title;
      frame.src = address;
      dialog.append(frame);
      document.body.append(dialog);
      addEventListener("message", heard);
      const mine = openChannel();
      channel = mine;
      mine?.addEventListener("message", ({ data: said }) => {
        if (channel === mine && isOurs(said)) ended(said, (message) => mine.postMessage(stamped(message)));
      });
      timer = setTimeout(() => exit({ reason: "error", error: "unavailable" }), READY_MS);
      if (dialog.showModal) dialog.showModal();
      else dialog.setAttribute("open", "");
      report("open");
    }

    return {
      open,
      close: () => exit({ reason: "closed" }),
      destroy() {
        isOver = true;
        takeAway();
      },
    };
  }

  function returned(result = Object.fromEntries(new URLSearchParams(location.search))) {
    const { management_session, completion_code, connection, error } = result;
    const connect_session = result.connect_session ?? management_session;
    const channel = connect_session ? openChannel() : null;
    channel?.addEventListener("message", ({ data: said }) => {
      if (said?.source !== SOURCE || said.connect_session !== connect_session || !said.done) return;
      channel.close();
      window.close();
    });
    const left = !result.connect_session; // the visit has ended, and nothing else
    channel?.postMessage({ source: SOURCE, connect_session, management_session, completion_code, connection, error, left });
  }

  window.Latchkey = Object.freeze({ version: 1, create, returned });
})();
