import { describe, expect, it } from '@jest/globals';
import {
  maxTurnMessages,
  maxTurnSettleCommands,
  planTurn,
  planTurnAhead,
  type TurnNeeds,
  type TurnPlan,
} from './turn-plan.js';

const nothingPending = { claims: 0, acknowledgements: 0, fitting: maxTurnMessages, settleCommands: 0 };

/** A consumer that holds five messages and wants nothing, at a queue where many wait. */
const idle: TurnNeeds = {
  room: 0,
  held: 5,
  fetchSize: 100,
  pending: nothingPending,
  wakeUp: '',
  isDue: false,
  hasBacklog: true,
  mayAskAhead: true,
  isAgreed: true,
};
const pending = (some: Partial<TurnNeeds['pending']>): Partial<TurnNeeds> => ({
  pending: { ...nothingPending, ...some },
});

/** A turn that brings nothing and asks for nothing. */
const empty: TurnPlan = {
  claims: 0,
  acknowledgements: 0,
  sent: 0,
  settleCommands: 0,
  wanted: 0,
  known: 5,
  wakeUp: '',
  movesDue: false,
};

describe('a turn while none is under way', () => {
  it.each<[what: string, needs: Partial<TurnNeeds>, plan: Partial<TurnPlan> | undefined]>([
    ['is not made for nothing', {}, undefined],
    ['is not made because there is a backlog, or a reconciliation was needed', { isAgreed: false }, undefined],
    ['asks for as many as there is room for', { room: 3 }, { wanted: 3 }],
    ['asks for one fetch at most', { room: 101 }, { wanted: 100 }],
    ['asks for as many as a turn can bring', { room: 5000, fetchSize: 5000 }, { wanted: maxTurnMessages }],
    ['reports a wake-up to Redis', { wakeUp: 'me' }, { wakeUp: 'me' }],
    ['moves what is due', { isDue: true }, { movesDue: true }],
    ['brings a claim', pending({ claims: 1 }), { claims: 1 }],
    ['brings acknowledgements', pending({ acknowledgements: 7 }), { acknowledgements: 7 }],
    [
      'counts a message with a settle command as held, and has no room for another in its place',
      { room: 3, ...pending({ settleCommands: 2 }) },
      { settleCommands: 2, wanted: 1, known: 7 },
    ],
    [
      'asks for none where settle commands take all room',
      { room: 1, ...pending({ settleCommands: 2 }) },
      { settleCommands: 2, known: 7 },
    ],
    [
      'brings so many settle commands, and leaves the others',
      { room: 300, fetchSize: 300, ...pending({ settleCommands: maxTurnSettleCommands + 1 }) },
      { settleCommands: maxTurnSettleCommands, wanted: 99, known: 206 },
    ],
    [
      'brings so many acknowledgements, and counts the others as held',
      { room: 50, ...pending({ acknowledgements: maxTurnMessages + 10 }) },
      { acknowledgements: maxTurnMessages, wanted: 40, known: 15 },
    ],
    [
      'brings as many acknowledgements as their results allow',
      { room: 50, ...pending({ acknowledgements: 7, fitting: 5 }) },
      { acknowledgements: 5, wanted: 48, known: 7 },
    ],
    [
      'brings claims before acknowledgements',
      { room: 50, ...pending({ claims: 600, acknowledgements: 410 }) },
      { claims: 600, acknowledgements: 400, wanted: 40, known: 15 },
    ],
    [
      'brings so many claims',
      pending({ claims: maxTurnMessages + 1, acknowledgements: 1 }),
      { claims: maxTurnMessages, known: 6 },
    ],
    [
      'brings all that there is',
      { room: 9, wakeUp: 'other', isDue: true, ...pending({ claims: 1, acknowledgements: 2, settleCommands: 3 }) },
      { claims: 1, acknowledgements: 2, settleCommands: 3, wanted: 6, known: 8, wakeUp: 'other', movesDue: true },
    ],
  ])('%s', (_, needs, plan) => {
    expect(planTurn({ ...idle, ...needs })).toEqual(plan && { ...empty, ...plan });
  });
});

describe('a turn that is sent while another is under way', () => {
  const before: TurnPlan = { ...empty, acknowledgements: 30, wanted: 100 };
  const busy: Partial<TurnNeeds> = { room: 200 };

  it.each<[what: string, needs: Partial<TurnNeeds>, plan: Partial<TurnPlan> | undefined]>([
    ['asks for another fetch', {}, { wanted: 100 }],
    ['is not sent where few messages wait', { hasBacklog: false }, undefined],
    ['is not sent where it may not be', { mayAskAhead: false }, undefined],
    ['is not sent before what is held was looked at', { isAgreed: false }, undefined],
    ['is not sent before what is due is moved', { isDue: true }, undefined],
    ['is not sent while a claim waits', pending({ claims: 1 }), undefined],
    ['is not sent while a settle command waits', pending({ settleCommands: 1 }), undefined],
    ['is not sent for less than a whole fetch', { room: 199 }, undefined],
    ['does not report a wake-up that the turn before it has reported', { wakeUp: 'me' }, { wanted: 100 }],
    ['asks for as many as a turn can bring', { room: 1100, fetchSize: 5000 }, { wanted: maxTurnMessages }],
    ['is not sent without room for that', { room: 1099, fetchSize: 5000 }, undefined],
    [
      'brings the acknowledgements that are not under way',
      pending({ acknowledgements: 7 }),
      { acknowledgements: 7, wanted: 100 },
    ],
    [
      'brings so many of them, and counts the others as held',
      { room: 210, ...pending({ acknowledgements: maxTurnMessages + 10 }) },
      { acknowledgements: maxTurnMessages, wanted: 100, known: 115 },
    ],
    [
      'brings as many as their results allow',
      { room: 202, ...pending({ acknowledgements: 7, fitting: 5 }) },
      { acknowledgements: 5, wanted: 100, known: 107 },
    ],
    ['is not sent without room for the others', pending({ acknowledgements: maxTurnMessages + 1 }), undefined],
  ])('%s', (_, needs, plan) => {
    const expected = plan && { ...empty, sent: 30, known: 105, ...plan };
    expect(planTurnAhead({ ...idle, ...busy, ...needs }, before)).toEqual(expected);
  });
});
