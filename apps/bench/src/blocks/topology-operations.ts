import { connect } from '../connection.js';
import { LongestCommands } from '../longest-command.js';
import type { Place } from '../place.js';

/** Bindings of the exchange that is declared for 1,000,000 messages of other rows. */
const messagesABinding = 10;
const queues = 1000;
const fanoutQueues = 2000;
const fanouts = 20;

/** What is done to an exchange with many bindings, in this order. */
export const topologyOperations = {
  declare: 'an exchange with a tenth of that in bindings',
  read: 'another process publishes for the first time',
  add: 'one binding more is declared',
  refresh: 'the other process publishes again',
  fanout: `${fanouts} messages to ${fanoutQueues.toLocaleString('en-US')} queues each`,
  unbind: 'one binding is removed',
  delete: 'the exchange with all its bindings',
} as const;

/** The longest command of each operation on `count / 10` bindings. */
export async function measureTopology(place: Place, count: number) {
  const { Broker } = await import('@millrace/queue');
  const [connection, elsewhere] = [await connect(place), await connect(place)];
  const [broker, other] = [new Broker(connection), new Broker(elsewhere)];
  const { byOperation: longest, during } = new LongestCommands(place);
  const names = Array.from({ length: fanoutQueues }, (_, index) => ({ name: `q${index}` }));
  await broker.declare({ exchanges: [{ name: 'all', type: 'fanout' }], queues: names });
  await broker.declare({ bindings: names.map(({ name }) => ({ exchange: 'all', queue: name })) });
  await broker.declareExchange({ name: 'wide', type: 'topic' });
  const bindings = Array.from({ length: count / messagesABinding }, (_, index) => bindingOf(index));
  await during('declare', () => broker.declare({ bindings }));
  await during('read', () => other.publish('wide', 'key.0', 0));
  await during('add', () => broker.bind(bindingOf(bindings.length)));
  await during('refresh', () => other.publish('wide', 'key.0', 0));
  await during('fanout', async () => {
    for (let n = 0; n < fanouts; n++) await other.publish('all', '', n);
  });
  await during('unbind', () => broker.unbind(bindingOf(0)));
  await during('delete', () => broker.deleteExchange('wide'));
  await Promise.all([broker.close(), other.close()]);
  await Promise.all([connection.close(), elsewhere.close()]);
  return { longest, delivery: null };
}

function bindingOf(index: number) {
  return { exchange: 'wide', queue: `q${index % queues}`, routingKey: `key.${index}` };
}
