/** What the tests have the TypeScript client do: one step a run, named by the first argument; prints JSON. */

import {
  etagOf,
  InvalidSignature,
  isRefused,
  Latchkey,
  LatchkeyError,
  Refused,
  Unreachable,
  verifyWebhook,
} from "./latchkey.ts";
import type { Connection, Problem, Vend } from "./latchkey.ts";

declare const process: { argv: string[] };

interface Given {
  baseUrl: string;
  key: string;
  [name: string]: unknown;
}

const given = JSON.parse(process.argv[3] ?? "{}") as Given;
const text = (name: string): string => String(given[name]);
const latchkey = new Latchkey({ baseUrl: given.baseUrl, key: () => given.key });

/** This has to compile: each code has members of its own, and no others. */
function told(problem: Problem): string | undefined {
  switch (problem.code) {
    case "reauthorization_required":
      return problem.connect_url;
    case "insufficient_scope":
      return problem.missing_scopes?.join(" ");
    case "policy_denied":
      // @ts-expect-error a denial has no such member
      return problem.connect_url;
    default:
      return problem.detail;
  }
}

/** So does this, and nothing that is misspelt. */
function misuse(): void {
  // @ts-expect-error the provider is missing
  void latchkey.vend({ end_user: "alice" });
  // @ts-expect-error no such member
  void latchkey.vend("id", { enduser: "alice" });
  // @ts-expect-error no such status
  void latchkey.listConnections({ status: "working" });
}

const steps: Record<string, () => Promise<unknown>> = {
  begin: async () => {
    const session = await latchkey.createConnectSession({
      end_user: "alice",
      provider: "sandbox",
      return_url: text("returnUrl"),
    });
    return { id: session.id, token: session.token, connect_url: session.connect_url, shown: JSON.stringify(session) };
  },
  complete: async () => {
    const completed = await latchkey.completeConnectSession(text("session"), {
      completion_code: text("code"),
      end_user: "alice",
    });
    if ("next" in completed) return completed.next;
    const vended: Vend = await latchkey.vend(completed.connection.id, { end_user: "alice", purpose: "a walk" });
    const { base_url, headers, value } = vended.credential;
    const me = await fetch(`${base_url}/me`, { headers });
    return {
      connection: completed.connection.id,
      status: completed.connection.status,
      answered: me.status,
      isSame: (await latchkey.vend({ provider: "sandbox", end_user: "alice" })).version === vended.version,
      isHidden: !JSON.stringify(vended).includes(String(value)) && !Object.keys(vended.credential).includes("value"),
    };
  },
  refused: async () => {
    try {
      await latchkey.vend(text("connection"), { end_user: text("endUser") });
      return null;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const link = isRefused(error, "reauthorization_required") ? error.problem.connect_url : undefined;
      return { code: error.problem.code, told: told(error.problem), link, status: error.status };
    }
  },
  match: async () => {
    const read = await latchkey.getConnection(text("connection"));
    const changed = await latchkey.patchConnection(read.id, { label: "first" }, { ifMatch: etagOf(read) ?? "" });
    const late = await latchkey
      .patchConnection(read.id, { label: "second" }, { ifMatch: etagOf(read) ?? "" })
      .catch((error: unknown) => isRefused(error, "precondition_failed"));
    return { label: "label" in changed ? changed.label : "", late };
  },
  pages: async () => {
    const found: Connection[] = [];
    for await (const connection of latchkey.iterConnections({ limit: 2 })) found.push(connection);
    return found.map((connection) => connection.id);
  },
  proxy: async () => {
    const size = 3_000_000;
    let left = size;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        const piece = new Uint8Array(Math.min(left, 65_536)).fill(97);
        left -= piece.length;
        controller.enqueue(piece);
        if (left === 0) controller.close();
      },
    });
    const answer = await latchkey.proxy("POST", text("connection"), "files/a b", {
      endUser: "alice",
      purpose: "a pürpose",
      query: { q: "ü", several: ["1", "2"] },
      body,
    });
    let received = 0;
    const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) received += part.value.length;
    return { status: answer.status, sent: size - left, received };
  },
  fetched: async () => {
    const call = latchkey.fetchFor(text("connection"), { end_user: "alice" });
    const together = await Promise.all([call("me"), call("/me"), call("me")]);
    const statuses = together.map((answer) => answer.status);
    await latchkey.refreshConnection(text("connection"));
    const control = (path: string, document: unknown): Promise<Response> =>
      fetch(text("sandbox") + path, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(document),
      });
    await control("/control/faults", {
      endpoint: "me",
      kind: "error",
      options: { status: 401, error: "invalid_token" },
    });
    statuses.push((await call("me", { method: "POST", body: "again" })).status);
    const foreign = await call("https://elsewhere.example/me").catch((error: Error) => error.name);
    return { statuses, foreign };
  },
  webhook: async () => {
    const headers = given["headers"] as Record<string, string>;
    const secrets = given["secrets"] as string[];
    const at = { nowSeconds: Number(given["now"]) };
    const believed = await verifyWebhook(text("body"), headers, secrets, at);
    const refusals: string[] = [];
    for (const [body, said, when] of [
      [`${text("body")} `, headers, at],
      [text("body"), { ...headers, "webhook-id": "other" }, at],
      [text("body"), headers, { nowSeconds: at.nowSeconds + 301 }],
      [text("body"), { "webhook-id": "1" }, at],
    ] as const) {
      const error = await verifyWebhook(body, said, secrets, when).catch((refused: unknown) => refused);
      refusals.push(error instanceof InvalidSignature ? "refused" : "believed");
    }
    return { believed, refusals };
  },
  unreachable: async () => {
    const nowhere = new Latchkey({ baseUrl: "http://127.0.0.1:9", key: "lk_secret_key" });
    const error = await nowhere.listConnections().catch((failed: unknown) => failed);
    const address = (() => {
      try {
        return new Latchkey({ baseUrl: "connect.example.com", key: "lk_x" });
      } catch (failed) {
        return failed instanceof LatchkeyError;
      }
    })();
    return { isUnreachable: error instanceof Unreachable, shown: JSON.stringify(nowhere) + String(error), address };
  },
};

if (process.argv[2] === "misuse") misuse();
const step = steps[process.argv[2] ?? ""];
if (step === undefined) throw new Error("There is no such step.");
console.log(JSON.stringify(await step()));
