import { type Evidence, messageIn } from '../evidence.js';
import { grouped } from '../grouped.js';

/** Messages of which one queue made more than one dead letter. Two queues make one each, also in the same place. */
export function findSecondDeaths({ final }: Evidence): string[] {
  return [...grouped(final.deadMessages, ({ queue, id }) => messageIn(queue, id)).values()]
    .filter(({ length }) => length > 1)
    .map(([first, ...others]) => `message ${first?.id} is ${others.length + 1} dead letters of queue ${first?.queue}`);
}
