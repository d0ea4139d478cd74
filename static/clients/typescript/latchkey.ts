/**
 * A small typed client of Latchkey, for services and agents: Node 20+, Deno, Bun and edge runtimes. It needs nothing.
 *
 * `api.ts` is generated from the OpenAPI document: operations, values and problems. `wire.ts` sends them.
 */

import { Operations } from "./api.ts";
import type { Vend, VendByOwnerIn, VendIn } from "./api.ts";
import { LatchkeyError } from "./wire.ts";
import type { CallOptions } from "./wire.ts";

export * from "./api.ts";
export { etagOf, isRefused, LatchkeyError, Refused, UnexpectedAnswer, Unreachable } from "./wire.ts";
export type { CallOptions, ProxyInit, Settings } from "./wire.ts";
export { InvalidSignature, verifyWebhook } from "./webhooks.ts";
export type { WebhookOptions } from "./webhooks.ts";

const LONGEST_MS = 300_000;
const MARGIN_MS = 60_000;
const TOLD_MS = 10_000;

/** The credential cannot be put into a request on this side: call the provider through `proxy`. */
export class NotHandedOut extends LatchkeyError {
  override name = "NotHandedOut";
}

/** A request leads elsewhere than to the connection's provider, so the credential was not put into it. */
export class ForeignOrigin extends LatchkeyError {
  override name = "ForeignOrigin";
}

/** Your Latchkey. */
export class Latchkey extends Operations {
  /**
   * Return a credential that works now, of the connection with this id, or of `end_user` at `provider`.
   *
   * Its secrets are not enumerable: neither printed nor serialised. Throws `Refused`, whose `problem` says why there is
   * none; with `reauthorization_required`, `connect_url` is where the end user mends it.
   */
  vend(connection: string, wanted?: VendIn, options?: CallOptions): Promise<Vend>;
  vend(wanted: VendByOwnerIn, options?: CallOptions): Promise<Vend>;
  vend(named: string | VendByOwnerIn, second?: VendIn | CallOptions, third?: CallOptions): Promise<Vend> {
    return typeof named === "string"
      ? this.vendById(named, (second ?? {}) as VendIn, third ?? {})
      : this.vendByOwner(named, (second ?? {}) as CallOptions);
  }

  /**
   * Return a `fetch` that calls a connection's provider with its credential, and renews it by itself.
   *
   * An address without a host is one below the connection's `base_url`. A provider's 401 is answered by a report to
   * Latchkey and one more try with a newer credential, where the request can be sent twice. Redirects are not followed:
   * they would take the credential along.
   */
  fetchFor(named: string | VendByOwnerIn, wanted: VendIn = {}): (address: string, init?: RequestInit) => Promise<Response> {
    const credential = new Kept(
      () => (typeof named === "string" ? this.vend(named, wanted) : this.vend(named)),
      (vended) => {
        const tenant = typeof named === "string" ? wanted.tenant : named.tenant;
        return this.reportConnection(vended.connection, { version: vended.version, status: 401, tenant: tenant ?? null });
      },
    );
    return async (address, init = {}) => {
      const vended = await credential.current();
      const answer = await fetch(...prepared(address, init, vended));
      if (answer.status !== 401 || init.body instanceof ReadableStream) return answer;
      const newer = await credential.after(vended);
      if (newer.version === vended.version) return answer;
      await answer.body?.cancel();
      return fetch(...prepared(address, init, newer));
    };
  }
}

/** A vended credential, kept until shortly before it ends. One vend serves all who wait for it. */
class Kept {
  readonly #vend: () => Promise<Vend>;
  readonly #report: (vended: Vend) => Promise<unknown>;
  #kept: { vended: Vend; until: number } | undefined;
  #underWay: Promise<Vend> | undefined;
  #told = { version: "", until: 0 };

  constructor(vend: () => Promise<Vend>, report: (vended: Vend) => Promise<unknown>) {
    this.#vend = vend;
    this.#report = report;
  }

  async current(): Promise<Vend> {
    if (this.#kept !== undefined && Date.now() < this.#kept.until) return this.#kept.vended;
    return this.#renew();
  }

  /** Return a credential that is newer than `refused`, if there is one. */
  async after(refused: Vend): Promise<Vend> {
    if (this.#kept !== undefined && this.#kept.vended.version !== refused.version) return this.current();
    if (this.#told.version === refused.version && Date.now() < this.#told.until) return this.current();
    this.#told = { version: refused.version, until: Date.now() + TOLD_MS };
    this.#underWay ??= this.#report(refused).then(() => this.#vended());
    return this.#renew();
  }

  #renew(): Promise<Vend> {
    this.#underWay ??= this.#vended();
    const underWay = this.#underWay;
    const forget = (): void => {
      if (this.#underWay === underWay) this.#underWay = undefined;
    };
    underWay.then(forget, forget);
    return underWay;
  }

  async #vended(): Promise<Vend> {
    const vended = await this.#vend();
    const { value, body, expires_at } = vended.credential;
    if (value === null || Object.keys(body).length > 0) {
      throw new NotHandedOut("This connection's credential cannot be put into a request here: use proxy().");
    }
    const left = expires_at === null ? Infinity : Date.parse(expires_at) - Date.now();
    // Not for long, so that a switch that an operator throws, and the audit trail, are not passed by.
    this.#kept = { vended, until: Date.now() + Math.min(LONGEST_MS, left - Math.min(MARGIN_MS, left / 2)) };
    return vended;
  }
}

function prepared(address: string, init: RequestInit, vended: Vend): [URL, RequestInit] {
  const { base_url, headers, query } = vended.credential;
  const isWhole = /^[a-z][a-z0-9+.-]*:/i.test(address);
  const url = new URL(isWhole ? address : `${base_url.replace(/\/+$/, "")}/${address.replace(/^\/+/, "")}`);
  if (url.origin !== new URL(base_url).origin) {
    throw new ForeignOrigin(`${url.origin} is not where this connection's credential goes.`);
  }
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  const said = new Headers(init.headers);
  for (const [name, value] of Object.entries(headers)) said.set(name, value);
  return [url, { ...init, headers: said, redirect: "manual" }];
}
