/** What Node calls a server whose certificate it cannot trust. */
const untrusted = /SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|^CERT_/;

const refusals: readonly (readonly [prefix: string, advice: string])[] = [
  ['WRONGPASS', 'it refused the user or password: check username and password'],
  ['NOAUTH', 'it asks for a password: give username and password'],
  ['NOPERM', 'its user lacks a right that every connection needs: see docs/operations.md'],
];

/** What ioredis says when it has asked every Sentinel in vain. */
const unreachable = /^All sentinels are unreachable.* Last error: (.*)$/s;

/** Why a connection cannot be made, in words that hold no credentials: an error itself may, in its `command`. */
export function connectionProblem(error: Error): string {
  const { message, code = '', lastNodeError } = error as Error & { code?: string; lastNodeError?: Error };
  // A cluster's client tells what the last of its nodes said.
  if (lastNodeError instanceof Error) return connectionProblem(lastNodeError);
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return `its TLS certificate is made out to others (${message.trim()}): reach it by a name that is in it`;
  }
  if (untrusted.test(code)) {
    return `its TLS certificate is not trusted (${code}: ${message}): give the CA that signed it as tls.ca`;
  }
  const [, atSentinel] = unreachable.exec(message) ?? [];
  if (atSentinel !== undefined) return sentinelProblem(atSentinel);
  const refusal = refusals.find(([prefix]) => message.startsWith(prefix));
  return refusal === undefined ? message : `${refusal[1]} (${refusal[0]})`;
}

function sentinelProblem(message: string): string {
  const refusal = refusals.find(([prefix]) => message.startsWith(prefix));
  if (refusal === undefined) return `no Sentinel could be asked for the primary (${message})`;
  return `Sentinel refused the user or password: check sentinel.username and sentinel.password (${refusal[0]})`;
}
