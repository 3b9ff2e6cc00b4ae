import { SentinelConnector } from 'ioredis';
import standalone from 'ioredis/built/connectors/StandaloneConnector.js';

// ioredis listens to the first error of a socket. One that speaks TLS can have another: when we refuse a certificate, the
// server may still answer that it did not understand. An error that nobody listens to ends the process.

/** Dials a server. */
export class QuietConnector extends standalone.default {
  constructor(options: unknown) {
    super(Object(options));
  }

  override async connect(...args: Parameters<InstanceType<typeof standalone.default>['connect']>) {
    return quiet(await super.connect(...args));
  }
}

/** Dials the master that Sentinel names. */
export class QuietSentinelConnector extends SentinelConnector {
  constructor(options: unknown) {
    super(Object(options));
    // Those who ask Sentinel are made by a method that its types keep to themselves.
    const ask: unknown = Reflect.get(this, 'connectToSentinel');
    if (!(ask instanceof Function)) throw new Error('this ioredis asks Sentinel in another way');
    Reflect.set(this, 'connectToSentinel', (endpoint: unknown, given?: object) =>
      // `disableClientInfo` as in `openClient`: without it, those who ask Sentinel send what its user may not.
      Reflect.apply(ask, this, [endpoint, { ...given, Connector: QuietConnector, disableClientInfo: true }]),
    );
  }

  /**
   * Whoever listened to Sentinel for the last connection listens no more: told of a failover while we ask for the primary, it
   * would break that off, and such a client is at its end and never tries again.
   */
  override async connect(...args: Parameters<SentinelConnector['connect']>) {
    super.disconnect();
    return quiet(await super.connect(...args));
  }
}

function quiet<S extends NodeJS.EventEmitter>(socket: S): S {
  socket.on('error', () => undefined);
  return socket;
}
