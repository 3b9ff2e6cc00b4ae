/** The servers that subjects run on. */
export const serverKinds = ['redis', 'rabbitmq', 'nats', 'kafka'] as const;
export type ServerKind = (typeof serverKinds)[number];

/** Which server a subject runs on: those that are not named after their server run on Redis. */
export function serverOf(subject: string): ServerKind {
  return serverKinds.find((kind) => kind === subject) ?? 'redis';
}
