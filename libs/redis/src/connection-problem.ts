import { isInstance } from '@millrace/core';
import { NoTlsError } from './plain-port.js';
import { SetUpError } from './set-up.js';

/** Node's error codes for a certificate that is not trusted. */
const untrusted = /SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|^CERT_/;

/** OpenSSL's error codes for a reply that is not TLS. */
const noTls = /^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|UNKNOWN_PROTOCOL|HTTP_REQUEST)$|^EPROTO$/;

const refusals: readonly (readonly [prefix: string, advice: string])[] = [
  ['WRONGPASS', 'it refused the user or password: check username and password'],
  ['NOAUTH', 'it requires a password: give username and password'],
  ['NOPERM', 'its user lacks a right that every connection needs: see docs/operations.md'],
];

/** The message of ioredis when no Sentinel could name the master. */
const unreachable = /^All sentinels are unreachable.* Last error: (.*)$/s;

/** Why a connection cannot be made. */
export interface ConnectionProblem {
  /** A description without credentials; the error itself may hold them, in its `command`. */
  readonly text: string;
  /** Whether the server or its certificate rules this connection out, so that waiting does not help. */
  readonly isRefusal: boolean;
}

/** Reads the error of a client. */
export function connectionProblem(error: Error): ConnectionProblem {
  const { message, code = '', lastNodeError } = error as Error & { code?: string; lastNodeError?: Error };
  // A cluster's client reports the error of the last node it tried.
  if (isInstance(lastNodeError, Error)) return connectionProblem(lastNodeError);
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return refused(`its TLS certificate is for another name (${message.trim()}): connect by a name that is in it`);
  }
  if (untrusted.test(code)) {
    return refused(`its TLS certificate is not trusted (${code}: ${message}): give the CA that signed it as tls.ca`);
  }
  if (error instanceof NoTlsError || noTls.test(code)) {
    return refused(
      `it does not use TLS at this port (${code || message}): write redis:// and no tls, or give its TLS port`,
    );
  }
  const [, atSentinel] = unreachable.exec(message) ?? [];
  if (atSentinel !== undefined) return sentinelProblem(atSentinel);
  if (error instanceof SetUpError && message.startsWith('NOPERM')) {
    return refused(`its user may not send ${error.command}: see the rights in docs/operations.md (NOPERM)`);
  }
  const refusal = refusals.find(([prefix]) => message.startsWith(prefix));
  if (refusal !== undefined) return refused(`${refusal[1]} (${refusal[0]})`);
  return error instanceof SetUpError ? refused(setUpProblem(error)) : { text: message, isRefusal: false };
}

function refused(text: string): ConnectionProblem {
  return { text, isRefusal: true };
}

function setUpProblem({ command, message }: SetUpError): string {
  if (command === 'AUTH' && message.includes('without any password')) {
    return 'it has no password, and one was given: leave password out, or set one at the server (requirepass)';
  }
  const [, database] = /^SELECT (\d+)$/.exec(command) ?? [];
  if (database === undefined) return `it refused ${command} (${message})`;
  if (message.includes('cluster mode')) {
    return 'it is a node of a cluster, which has only database 0: leave db out, and give its nodes as cluster.nodes';
  }
  return `it has no database ${database} (${message}): servers have 0 to 15 unless their setting "databases" differs`;
}

function sentinelProblem(message: string): ConnectionProblem {
  const refusal = refusals.find(([prefix]) => message.startsWith(prefix));
  if (refusal === undefined) {
    return { text: `no Sentinel could be asked for the primary (${message})`, isRefusal: false };
  }
  return refused(
    `Sentinel refused the user or password: check sentinel.username and sentinel.password (${refusal[0]})`,
  );
}
