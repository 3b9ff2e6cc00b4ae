const addressPrefix = 'reply:';
/** A secret of 128 random bits in base64url. None of its characters would move a key's hash tag: any publisher can set `replyTo`. */
const address = /^reply:([\w-]{22})$/;

/** Where the reply to a message goes. */
export type ReplyTarget =
  | { readonly kind: 'stream'; readonly secret: string }
  | { readonly kind: 'queue'; readonly queue: string }
  /** `replyTo` names a queue that the consumer's options do not allow. */
  | { readonly kind: 'refused'; readonly queue: string };

/** What a requester puts into `replyTo`: the name of its reply stream. */
export function replyAddress(secret: string): string {
  return addressPrefix + secret;
}

/** Undefined when no reply is wanted. An address of a reply stream is never taken for a queue. */
export function replyTargetOf(
  replyTo: string | undefined,
  replyQueues: readonly string[] = [],
): ReplyTarget | undefined {
  if (replyTo === undefined) return undefined;
  const secret = address.exec(replyTo)?.[1];
  if (secret !== undefined) return { kind: 'stream', secret };
  return { kind: replyQueues.includes(replyTo) ? 'queue' : 'refused', queue: replyTo };
}

/** Whether a requester waits for the reply to a message, for a limited time. */
export function isRequest({ properties }: { readonly properties: { readonly replyTo?: string | undefined } }): boolean {
  return replyTargetOf(properties.replyTo)?.kind === 'stream';
}
