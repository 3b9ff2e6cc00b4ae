import { type AbstractConnector, SentinelConnector } from 'ioredis';
import * as standalone from 'ioredis/built/connectors/StandaloneConnector.js';

// ioredis listens to the first error of a socket. A TLS socket can have another one: when this side refuses a certificate, the server may
// still send an alert. An error without a listener ends the process.

interface ServerConnector extends AbstractConnector {
  connect(...args: Parameters<AbstractConnector['connect']>): ReturnType<AbstractConnector['connect']>;
}

/** Connects to a server. */
export class QuietConnector extends connectorOf(standalone) {
  constructor(options: unknown) {
    super(Object(options));
  }

  override async connect(...args: Parameters<AbstractConnector['connect']>) {
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

/** The default export of an ioredis module: `require` gives the module, `import` wraps it in another default. */
function connectorOf(module: object): new (options: object) => ServerConnector {
  const { default: exported }: { default?: unknown } = module;
  const isWrapped = typeof exported === 'object' && exported !== null;
  return (isWrapped ? Reflect.get(exported, 'default') : exported) as new (
    options: object,
  ) => ServerConnector;
}

function quiet<S extends NodeJS.EventEmitter>(socket: S): S {
  socket.on('error', () => undefined);
  return socket;
}
