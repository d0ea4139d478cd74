/** Latchkey connect, version 1: `<script src="https://connect.example.com/connect/v1/connect.js">` defines `Latchkey`. */

export interface LatchkeyOptions {
  /**
   * The `token` of a connect session, or of a management session. Your backend makes it on the click, with `origin`, for
   * the user who is logged in. A management session stays open after each connection that is made from it; `onExit` says
   * when it is over.
   */
  token: string;
  /**
   * Send the code to your backend, which confirms it at `/complete` for the user who is logged in there. Return what it
   * answered, or reject: `next` leads the end user on to a choice that is left to make; all else is the result. The same
   * code comes here once; after `next` there is a second code. `managementSession` is there where it was begun from one.
   */
  onConfirm(completionCode: string, session: string, managementSession?: string): Promise<LatchkeyConfirmed> | LatchkeyConfirmed;
  /** It is connected: `result` is what `onConfirm` returned, or `{connection}` where your return page told it. */
  onSuccess?(result: LatchkeyConfirmed): void;
  /** It ended without a connection, or the end user has left. The server knows what succeeded: ask your backend. */
  onExit?(detail: LatchkeyExit): void;
  /** Everything that happens, for your metrics. */
  onEvent?(name: LatchkeyEvent, detail: { session: string; reason?: string; error?: string }): void;
  /** The widget is shown. */
  onReady?(): void;
  /** `auto` (default): over the page, and by a redirect inside other apps' browsers. */
  mode?: "auto" | "modal" | "redirect";
  /** The accessible name of the dialog, in your user's language. Default: English, by what it shows. */
  title?: string;
  /** Where Latchkey is, if you serve this file yourself. Default: where the script came from. */
  url?: string;
}

export type LatchkeyConfirmed = { next?: string; [member: string]: unknown } | null | undefined | void;

/**
 * `closed`: the end user or you closed it. `error`: a code of the widget's (`access_denied`, `expired`, `used`…),
 * `unavailable` (the page did not load; look at `allowed_origins` and your policy) or `confirmation_failed`
 * (`onConfirm` rejected with `cause`).
 */
export interface LatchkeyExit {
  reason: "closed" | "error";
  error?: string;
  cause?: unknown;
}

export type LatchkeyEvent =
  | "open" | "ready" | "redirect" | "choice" | "success" | "error" | "exit"
  | "window.opened" | "window.blocked" | "window.closed";

export interface LatchkeyWidget {
  /** Show the widget. While it is open, nothing happens. */
  open(): void;
  /** Take it away; `onExit` is told. It may be opened again. */
  close(): void;
  /** Take it away for good; nobody is told. */
  destroy(): void;
}

export interface LatchkeyGlobal {
  readonly version: 1;
  /** Raises `TypeError` for a token that is none. */
  create(options: LatchkeyOptions): LatchkeyWidget;
  /**
   * For your return page: tell the page of yours that opened the widget how it ended, and close this window if it did.
   * Needed where the browser has severed the window from that page. Default: what the address says. The return from a
   * management session has that alone.
   */
  returned(result?: { connect_session?: string; management_session?: string; completion_code?: string; connection?: string; error?: string }): void;
}

declare global {
  interface Window {
    Latchkey: LatchkeyGlobal;
  }
  const Latchkey: LatchkeyGlobal;
}
