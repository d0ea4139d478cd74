/** How an operation of `api.ts` becomes a request over `fetch`, and what its answer is: a value, or the problem. */

import type { Problem } from "./api.ts";

/** Whatever goes wrong between you and Latchkey. Nothing in it holds a key, a credential, or what was sent. */
export class LatchkeyError extends Error {
  override name = "LatchkeyError";
}

/** Latchkey gave no answer, or not a whole one. */
export class Unreachable extends LatchkeyError {
  override name = "Unreachable";
}

/** Latchkey's answer is none that this version of the client knows. */
export class UnexpectedAnswer extends LatchkeyError {
  override name = "UnexpectedAnswer";
}

/** Latchkey refused a request: `problem.code` says why, and TypeScript knows the further members of each code. */
export class Refused extends LatchkeyError {
  override name = "Refused";
  readonly problem: Problem;
  readonly status: number;
  /** When the same request can succeed, if that is known. */
  readonly retryAfterSeconds: number | undefined;

  constructor(problem: Problem, status: number, retryAfterSeconds: number | undefined) {
    super(`${problem.code}: ${problem.detail}`);
    this.problem = problem;
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** Whether an error is Latchkey's refusal with this code. */
export function isRefused<Code extends Problem["code"]>(
  error: unknown,
  code: Code,
): error is Refused & { readonly problem: Extract<Problem, { code: Code }> } {
  return error instanceof Refused && error.problem.code === code;
}

/** Where your Latchkey is, and what it knows you by. */
export interface Settings {
  /** Such as `https://connect.example.com`. */
  baseUrl: string;
  /** An API key, or a function that reads a workload's token anew. */
  key: string | (() => string | Promise<string>);
  /** For how long an answer of 503 is waited out, in milliseconds; 30 s unless given. */
  patienceMs?: number;
  /** After which time without an answer a call is given up, in milliseconds; 60 s unless given. */
  timeoutMs?: number;
  /** What to send requests with, in the place of the global `fetch`. */
  fetch?: typeof fetch;
}

/** What every call takes. */
export interface CallOptions {
  signal?: AbortSignal;
}

/** What may be in a request to a provider, through the proxy. */
export interface ProxyInit extends CallOptions {
  query?: Query;
  headers?: Record<string, string>;
  /** A stream is sent as it comes, where the runtime's `fetch` can. */
  body?: BodyInit | null;
}

export type Query = Record<string, string | number | boolean | readonly string[] | null | undefined>;

/** One call, as the generated operations make it. */
export interface Call {
  method: string;
  path: string;
  query?: Query;
  headers?: Record<string, string | undefined>;
  body?: object;
  isForm?: boolean;
  /** Doing it twice does no harm, so it is sent again when no answer came. */
  mayRepeat?: boolean;
  /** It takes an `Idempotency-Key`, with which it may be repeated. */
  takesKey?: boolean;
  /** Where secrets are in the answer: they are there, and neither printed nor serialised. */
  secrets?: readonly (readonly string[])[];
}

/** A page of a list. */
interface Page<Item> {
  readonly items: readonly Item[];
  readonly next: string | null;
}

const SHORTEST_WAIT_MS = 100;
const etags = new WeakMap<object, string>();

/** Return the ETag with which an answer came: as `ifMatch` it lets a change pass only if nobody came first. */
export function etagOf(value: object): string | undefined {
  return etags.get(value);
}

/** Sends the operations of `api.ts`. What it knows is private, so that nothing prints it. */
export class Caller {
  readonly #baseUrl: string;
  readonly #key: Settings["key"];
  readonly #patienceMs: number;
  readonly #timeoutMs: number;
  readonly #fetch: typeof fetch;

  constructor(settings: Settings) {
    if (!/^https?:\/\//.test(settings.baseUrl)) {
      throw new LatchkeyError("baseUrl is the address of your Latchkey, such as https://connect.example.com.");
    }
    this.#baseUrl = settings.baseUrl.replace(/\/+$/, "");
    this.#key = settings.key;
    this.#patienceMs = settings.patienceMs ?? 30_000;
    this.#timeoutMs = settings.timeoutMs ?? 60_000;
    this.#fetch = settings.fetch ?? ((input, init) => fetch(input, init));
  }

  /** Make a call, waiting where Latchkey asks for it. */
  protected async call<Value>(call: Call, options: CallOptions): Promise<Value> {
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(call.headers ?? {})) if (value !== undefined) headers[name] = value;
    if (call.takesKey) headers["Idempotency-Key"] ??= crypto.randomUUID();
    let body: string | undefined;
    if (call.body !== undefined) {
      headers["Content-Type"] = call.isForm ? "application/x-www-form-urlencoded" : "application/json";
      body = call.isForm ? queryOf(call.body as Query).slice(1) : JSON.stringify(call.body);
    }
    const giveUpAt = Date.now() + this.#patienceMs;
    // What was changed already does not match any more.
    let mayRepeat = (call.mayRepeat === true && headers["If-Match"] === undefined) || call.takesKey === true;
    for (;;) {
      try {
        const answer = await this.#send(call.method, call.path + queryOf(call.query), headers, body, options.signal);
        return await valueOf<Value>(answer, call.secrets ?? []);
      } catch (error) {
        const wait = waitAfter(error, giveUpAt - Date.now(), mayRepeat);
        if (wait === undefined) throw error;
        mayRepeat = mayRepeat && !(error instanceof Unreachable);
        await new Promise((resolve) => setTimeout(resolve, wait));
      }
    }
  }

  /** Send a request to a provider, and return its answer, whose body is a stream. */
  protected async proxied(
    method: string,
    address: string,
    path: string,
    stated: Record<string, string | undefined>,
    init: ProxyInit,
  ): Promise<Response> {
    const headers: Record<string, string> = { ...init.headers };
    for (const [name, value] of Object.entries(stated)) if (value !== undefined) headers[name] = asBytes(value);
    const below = encodeURI(path.replace(/^\//, "")).replace(/[?#]/g, encodeURIComponent).replace(/%25/g, "%");
    const answer = await this.#send(method, address + below + queryOf(init.query), headers, init.body, init.signal, true);
    if (answer.headers.get("Latchkey-Outcome") !== "upstream") throw await refusalOf(answer);
    return answer;
  }

  /** Yield what is on each page, one page after the other. */
  protected async *each<Item>(fetchPage: (cursor?: string) => Promise<Page<Item>>): AsyncGenerator<Item, void> {
    let cursor: string | undefined;
    for (;;) {
      const page: Page<Item> = await fetchPage(cursor);
      yield* page.items;
      if (page.next === null || page.next === cursor) return;
      cursor = page.next;
    }
  }

  async #send(
    method: string,
    address: string,
    headers: Record<string, string>,
    body: BodyInit | null | undefined,
    signal: AbortSignal | undefined,
    isStream = false,
  ): Promise<Response> {
    const bearer = typeof this.#key === "string" ? this.#key : await this.#key();
    const gaveUp = new AbortController();
    // Nobody knows how long a stream may take to send.
    const timer = setTimeout(() => gaveUp.abort(), body instanceof ReadableStream ? 2 ** 31 - 1 : this.#timeoutMs);
    const leave = (): void => gaveUp.abort();
    signal?.addEventListener("abort", leave);
    try {
      const answer = await this.#fetch(this.#baseUrl + address, {
        method,
        headers: { ...headers, Authorization: `Bearer ${bearer}` },
        body: body ?? null,
        redirect: "manual",
        signal: gaveUp.signal,
        ...(body instanceof ReadableStream ? { duplex: "half" } : {}),
      } as RequestInit);
      if (isStream) return answer;
      // Read here, so that the time counts for the whole answer.
      const content = [204, 205, 304].includes(answer.status) ? null : await answer.arrayBuffer();
      if (answer.type === "opaqueredirect") throw new UnexpectedAnswer("Latchkey answered with a redirect.");
      return new Response(content, { status: answer.status, headers: answer.headers });
    } catch (error) {
      if (error instanceof LatchkeyError || signal?.aborted) throw error;
      throw new Unreachable(`Latchkey gave no whole answer (${error instanceof Error ? error.name : typeof error}).`);
    } finally {
      clearTimeout(timer);
      if (!isStream) signal?.removeEventListener("abort", leave);
    }
  }
}

function waitAfter(error: unknown, leftMs: number, mayRepeat: boolean): number | undefined {
  if (error instanceof Refused && error.status === 503 && error.retryAfterSeconds !== undefined) {
    const wait = Math.max(error.retryAfterSeconds * 1000, SHORTEST_WAIT_MS);
    return wait <= leftMs ? wait : undefined;
  }
  return error instanceof Unreachable && mayRepeat ? SHORTEST_WAIT_MS : undefined;
}

async function valueOf<Value>(answer: Response, secrets: readonly (readonly string[])[]): Promise<Value> {
  if (answer.status >= 300 || isProblem(answer)) throw await refusalOf(answer);
  const text = await answer.text();
  if (text === "") return undefined as Value;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new UnexpectedAnswer(`An answer with the status ${answer.status} cannot be read.`);
  }
  for (const path of secrets) conceal(value, path);
  const etag = answer.headers.get("ETag");
  if (etag !== null && typeof value === "object" && value !== null) etags.set(value, etag);
  return value as Value;
}

function isProblem(answer: Response): boolean {
  return (answer.headers.get("Content-Type") ?? "").startsWith("application/problem+json");
}

async function refusalOf(answer: Response): Promise<LatchkeyError> {
  let document: unknown;
  try {
    document = JSON.parse(await answer.text());
  } catch {
    document = null;
  }
  if (document === null && answer.headers.get("Latchkey-Outcome") === "refused") {
    return new LatchkeyError(`A HEAD is refused without a body that says why (${answer.status}).`);
  }
  if (typeof document !== "object" || document === null || !("code" in document)) {
    return new UnexpectedAnswer(`Something that is no Latchkey answered with the status ${answer.status}.`);
  }
  const after = answer.headers.get("Retry-After") ?? "";
  const problem = { detail: (document as { error_description?: string }).error_description, ...document } as Problem;
  return new Refused(problem, answer.status, /^\d+$/.test(after) ? Number(after) : undefined);
}

/** Make a member of an answer one that is neither printed nor serialised. */
function conceal(value: unknown, path: readonly string[]): void {
  const [name, ...rest] = path;
  if (name === undefined || typeof value !== "object" || value === null) return;
  if (name === "*") {
    if (Array.isArray(value)) for (const item of value) conceal(item, rest);
  } else if (rest.length > 0) {
    conceal((value as Record<string, unknown>)[name], rest);
  } else if (name in value) {
    Object.defineProperty(value, name, { enumerable: false });
  }
}

function queryOf(query: Query | undefined): string {
  const pairs: [string, string][] = [];
  for (const [name, value] of Object.entries(query ?? {})) {
    const several = Array.isArray(value) ? (value as readonly string[]) : [value];
    for (const one of several) if (one !== undefined && one !== null) pairs.push([name, String(one)]);
  }
  return pairs.length > 0 ? `?${new URLSearchParams(pairs)}` : "";
}

/** Headers are bytes: UTF-8, each byte as one character. */
function asBytes(text: string): string {
  return String.fromCharCode(...new TextEncoder().encode(text));
}
