import { SentinelConnector } from 'ioredis';
import standalone from 'ioredis/built/connectors/StandaloneConnector.js';

// ioredis listens to the first error of a socket. A TLS socket can have another one: when this side refuses a certificate, the server may
// still send an alert. An error without a listener ends the process.

/** Connects to a server. */
export class QuietConnector extends standalone.default {
  constructor(options: unknown) {
    super(Object(options));
  }

  override async connect(...args: Parameters<InstanceType<typeof standalone.default>['connect']>) {
    return quiet(await super.connect(...args));
  }
}

/** Connects to the master that Sentinel names. */
export class QuietSentinelConnector extends SentinelConnector {
  constructor(options: unknown) {
    super(Object(options));
    // The clients that query Sentinel are made by a method that the types of ioredis do not declare.
    const ask: unknown = Reflect.get(this, 'connectToSentinel');
    if (!(ask instanceof Function)) throw new Error('this version of ioredis queries Sentinel in another way');
    Reflect.set(this, 'connectToSentinel', (endpoint: unknown, given?: object) =>
      // `disableClientInfo` as in `openClient`: without it these clients send commands for which Sentinel's user may lack the right.
      Reflect.apply(ask, this, [endpoint, { ...given, Connector: QuietConnector, disableClientInfo: true }]),
    );
  }

  /**
   * Stops the Sentinel subscription of the last connection: on a failover event during the query for the primary, it would abort that
   * query, and such a client never reconnects.
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
