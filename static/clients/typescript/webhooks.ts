/** Webhooks as Standard Webhooks signs them: HMAC-SHA256 over `id.timestamp.body`, with secrets `whsec_…`. */

import { LatchkeyError } from "./wire.ts";

/** A webhook's signature does not fit, or is too old: do not believe its body. */
export class InvalidSignature extends LatchkeyError {
  override name = "InvalidSignature";
}

/** `nowSeconds` is in seconds since 1970. */
export interface WebhookOptions {
  toleranceSeconds?: number;
  nowSeconds?: number;
}

/**
 * Return the JSON in `body`, which has to be what was received, byte for byte, once its signature is proven.
 *
 * While a secret is being replaced give the old one and the new one: any of them may have signed. A message may come
 * twice, so keep the `webhook-id`. Throws `InvalidSignature`.
 */
export async function verifyWebhook(
  body: string | Uint8Array,
  headers: Headers | Record<string, string>,
  secrets: string | readonly string[],
  options: WebhookOptions = {},
): Promise<unknown> {
  const said = headers instanceof Headers ? headers : new Headers(headers);
  const [id, timestamp, signatures] = ["webhook-id", "webhook-timestamp", "webhook-signature"].map((name) => {
    const value = said.get(name);
    if (value === null) throw new InvalidSignature(`The header ${name} is missing.`);
    return value;
  }) as [string, string, string];
  if (!/^\d+$/.test(timestamp)) throw new InvalidSignature("The timestamp cannot be read.");
  const now = options.nowSeconds ?? Date.now() / 1000;
  if (Math.abs(now - Number(timestamp)) > (options.toleranceSeconds ?? 300)) {
    throw new InvalidSignature("The message is too old, or from the future: look at the clock.");
  }
  const content = typeof body === "string" ? new TextEncoder().encode(body) : body;
  const head = new TextEncoder().encode(`${id}.${timestamp}.`);
  const signed = new Uint8Array(head.length + content.length);
  signed.set(head);
  signed.set(content, head.length);
  let fits = false;
  for (const secret of typeof secrets === "string" ? [secrets] : secrets) {
    const key = await crypto.subtle.importKey("raw", bytesOf(secret), { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
    for (const signature of signatures.split(" ")) {
      const given = signature.startsWith("v1,") ? decoded(signature.slice(3)) : undefined;
      // `verify` takes the same time wherever the two differ.
      if (given !== undefined && (await crypto.subtle.verify("HMAC", key, given, signed))) fits = true;
    }
  }
  if (!fits) throw new InvalidSignature("No signature fits.");
  try {
    return JSON.parse(new TextDecoder().decode(content));
  } catch {
    throw new InvalidSignature("The body is signed, and no JSON.");
  }
}

function bytesOf(secret: string): Uint8Array<ArrayBuffer> {
  const bytes = decoded(secret.replace(/^whsec_/, ""));
  if (bytes === undefined || bytes.length === 0) throw new TypeError("A webhook secret is whsec_ and Base64.");
  return bytes;
}

function decoded(base64: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}
