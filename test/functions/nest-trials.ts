import { expect } from '@jest/globals';
import { Consumers, Millrace, MillraceModule, type StandardSchema } from '@millrace/nestjs';
import { MillraceServer } from '@millrace/nestjs/transport';
import { waitFor } from '@millrace/testing';
import { Test } from '@nestjs/testing';
import { createApplication } from '../nest/application.js';
import { areAllDone, misbehaviours } from './misbehaviours.js';
import { misbehave, type Stage, unsettled, well } from './stage.js';

interface Shown {
  readonly headers: Readonly<Record<string, unknown>>;
}

type Subscribe = (consumers: Consumers, name: string, handled: unknown[]) => Promise<{ stop(): Promise<void> }>;

/** An application whose handler gets a message for each misbehaviour, and one that it must still handle. */
async function consumes(stage: Stage, kind: 'log' | 'queue', subscribe: Subscribe): Promise<void> {
  const name = stage.name();
  const connection = { url: stage.url, prefix: name };
  const topology = { topics: [{ name }], queues: [{ name }] };
  const application = await createApplication({ connection, ...topology });
  await application.init();
  // What Millrace logs of a failed message, a logger of the application's own may fail to write.
  const fail = (): never => {
    throw new Error('the log is full');
  };
  application.useLogger({ log: fail, warn: fail, error: fail });
  const millrace = application.get(Millrace);
  const handled: unknown[] = [];
  const subscription = await subscribe(application.get(Consumers), name, handled);
  const indexes = [...misbehaviours.keys(), well];
  if (kind === 'log')
    await millrace.producer.sendBatch(
      indexes.map((index) => ({ topic: name, value: { index }, headers: { index }, key: `${index}` })),
    );
  else for (const index of indexes) await millrace.broker.sendToQueue(name, { index }, { headers: { index } });
  await waitFor(() => handled.includes(well), { what: 'the message that behaves' });
  await subscription.stop();
  application.useLogger(false);
  await application.close();
}

const options = { retry: false, handlerTimeoutMs: 50, abortGraceMs: 50, concurrency: 100 } as const;

function take(handled: unknown[]): (payload: unknown, context: object) => void {
  return (_, context) => void handled.push((context as Shown).headers.index);
}

const schema: StandardSchema = {
  '~standard': {
    version: 1,
    vendor: 'own',
    validate: (value) => {
      const { index } = value as { index: number };
      return (index === well ? { value } : misbehave(index)) as never;
    },
  },
};

export const nestTrials: Record<string, (stage: Stage) => Promise<void>> = {
  'nestjs: Consumers.subscribeLog(handler)': (stage) =>
    consumes(stage, 'log', (consumers, name, handled) =>
      consumers.subscribeLog({ topic: name, group: name, from: 'earliest', ...options }, (payload, context) => {
        take(handled)(payload, context);
        return misbehave(handled.at(-1));
      }),
    ),
  'nestjs: Consumers.subscribeQueue(handler)': (stage) =>
    consumes(stage, 'queue', (consumers, name, handled) =>
      consumers.subscribeQueue({ queue: name, ...options }, (payload, context) => {
        take(handled)(payload, context);
        return misbehave(handled.at(-1));
      }),
    ),
  'nestjs: AnyLogHandlerOptions.when': (stage) =>
    consumes(stage, 'log', (consumers, name, handled) => {
      const when = (context: object) => {
        const { index } = (context as Shown).headers;
        return index === well || (misbehave(index) as boolean);
      };
      return consumers.subscribeLog({ topic: name, group: name, from: 'earliest', ...options, when }, take(handled));
    }),
  'nestjs: StandardSchema.validate': async (stage) => {
    await consumes(stage, 'log', (consumers, name, handled) =>
      consumers.subscribeLog({ topic: name, group: name, from: 'earliest', ...options, type: schema }, take(handled)),
    );
    await consumes(stage, 'queue', (consumers, name, handled) =>
      consumers.subscribeQueue({ queue: name, ...options, type: schema }, take(handled)),
    );
  },
  'nestjs: MillraceAsyncOptions.useFactory': () => starts((act) => ({ useFactory: act as () => never })),
  'nestjs: MillraceOptionsFactory.createMillraceOptions': () =>
    starts((act) => ({
      useClass: class {
        createMillraceOptions(): never {
          return act() as never;
        }
      },
    })),
  'nestjs: MillraceServer.listen(callback)': async (stage) => {
    const reported: unknown[] = [];
    const server = new MillraceServer({ connection: { url: stage.url, prefix: stage.name() }, queue: 'service' });
    server.unwrap<Millrace>().events.on('background-error', ({ duty, heldBack = 0 }) => {
      for (let report = 0; report <= heldBack; report++) reported.push(duty);
    });
    server.addHandler('event', async () => undefined, true);
    for (const { act } of misbehaviours) server.listen(act as () => void);
    const failing = misbehaviours.filter(({ what }) => /^(throws|rejects)/.test(what)).length;
    // The first of them is called when the server has started, the others may be before.
    await waitFor(() => areAllDone() && reported.length >= failing, { what: 'all to be reported' });
    expect(new Set(reported)).toEqual(new Set(['the callback of listen']));
    await server.close();
  },
};

/** A module whose options come from a function that misbehaves: the application does not start, and says why. */
async function starts(from: (act: () => unknown) => Parameters<typeof MillraceModule.forRootAsync>[0]): Promise<void> {
  const start = ({ act }: { act: () => unknown }) =>
    Test.createTestingModule({ imports: [MillraceModule.forRootAsync(from(act))] }).compile();
  // An application waits for the options as long as they take.
  expect(await unsettled((one) => (one.hangs ? Promise.resolve() : start(one)))).toEqual([]);
}
