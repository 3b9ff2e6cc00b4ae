const plan = { file: 'libs/queue/src/model/turn-plan.ts', spec: 'libs/queue/src/model/turn-plan.spec.ts' };
const offers = { file: 'libs/queue/src/turns/offers.ts', spec: 'libs/queue/src/turns/offers.spec.ts' };
const parts = 'libs/queue/src/store/fragment.spec.ts';

/** What a consumer's turn sends to Redis and asks for, and what becomes of messages that come without a turn. */
export default {
  area: 'turns',
  mutants: [
    {
      ...plan,
      promise: 'a turn asks for no message in the place of one whose settle command may come after it',
      replace: `Math.max(0, room - stillHeld)`,
      by: `room`,
    },
    {
      ...plan,
      promise: 'what a turn has no room to acknowledge is not taken for unknown',
      replace: `known: held + stillHeld,`,
      by: `known: held,`,
    },
    {
      ...plan,
      promise: 'claims and acknowledgements together are no more than Lua can unpack',
      replace: `Math.min(acknowledgements, fitting, maxTurnMessages - claimed)`,
      by: `Math.min(acknowledgements, fitting, maxTurnMessages)`,
    },
    {
      ...plan,
      promise: 'a turn is made for a wake-up alone',
      replace: ` && wakeUp === ''`,
      by: ``,
    },
    {
      ...plan,
      promise: 'a turn is made for what is due alone',
      replace: ` && !isDue) return undefined;`,
      by: `) return undefined;`,
    },
    {
      ...plan,
      promise: 'no turn is sent behind one that may have to be reconciled',
      replace: ` || !isAgreed || isDue) return`,
      by: ` || isDue) return`,
    },
    {
      ...plan,
      promise: 'no turn is sent behind one that carries settle commands',
      replace: `pending.claims + pending.settleCommands > 0`,
      by: `pending.claims > 0`,
    },
    {
      ...plan,
      promise: 'a turn that is sent ahead leaves room for what the one before it brings',
      replace: `room - before.wanted - stillHeld < wanted`,
      by: `room - stillHeld < wanted`,
    },
    {
      ...plan,
      promise: 'a turn that is sent ahead sends nothing that the one before it sends',
      replace: `sent: before.acknowledgements,`,
      by: `sent: 0,`,
    },
    {
      ...plan,
      promise: 'a turn that is sent ahead knows of what the one before it may bring',
      replace: `held + before.wanted + stillHeld`,
      by: `held + stillHeld`,
    },
    {
      ...offers,
      promise: 'an offer waits for the turns that were sent before it came',
      replace: `({ afterTurn }) => afterTurn > requests.lastEnded`,
      by: `() => false`,
    },
    {
      ...offers,
      promise: 'behind an offer that is declined none is taken',
      replace: `declined.length > 0 || !mayTake()`,
      by: `!mayTake()`,
    },
    {
      ...offers,
      promise: 'an offer takes no room that a turn under way may fill',
      replace: `buffer.wanted() <= requests.asked`,
      by: `buffer.wanted() <= 0`,
    },
    {
      ...offers,
      promise: 'an offer that a turn took over is not taken again',
      replace: `this.#drop((offer) => offer.number <= number);`,
      by: ``,
    },
    {
      promise: 'what comes due while a turn is under way is moved by the next',
      file: 'libs/queue/src/turns/turn-requests.ts',
      replace: `if (plan.movesDue) this.#parts.due.isDue = false;`,
      by: `this.#parts.due.isDue = false;`,
      spec: 'test/queue/what-comes-due-while-redis-is-asked-is-moved.spec.ts',
    },
    {
      promise: 'a part of a script says which names it reads',
      file: 'libs/queue/src/store/turn-taking.ts',
      replace: `'now', 'isPlain', 'allowed', 'maxBytes', 'limitBytes', 'entries',`,
      by: `'now', 'isPlain', 'allowed', 'maxBytes', 'entries',`,
      spec: parts,
    },
    {
      promise: 'a part of a script reads nothing that is set behind it',
      file: 'libs/queue/src/store/turn-script.ts',
      replace: `choose, takeOver, take, hold, due, wake, answer]`,
      by: `choose, take, takeOver, hold, due, wake, answer]`,
      spec: parts,
    },
    {
      promise: 'messages whose reply was lost are handled in the order in which they were published',
      file: 'libs/queue/src/store/held.ts',
      replace: `found: inPublishOrder(found),`,
      by: `found,`,
      spec: 'test/queue/where-many-wait-two-turns-are-under-way.spec.ts',
    },
    {
      promise: "what is acknowledged with a message that is not this consumer's leaves no frame behind",
      file: 'libs/queue/src/store/turn-settling.ts',
      replace: `if call('HEXISTS', messages, entry) == 1 then call('SADD', unacked, entry) end`,
      by: '',
      spec: 'test/queue/a-message-ends-once.spec.ts',
    },
    {
      promise: 'what a turn brings is not counted on while some of it may have been carried out before',
      file: 'libs/queue/src/turns/reconciliation.ts',
      replace: `    if (isLeft) this.#numbers.breakOff();\n    else this.#state = agreed;`,
      by: `    this.#state = agreed;`,
      spec: 'test/queue/where-many-wait-two-turns-are-under-way.spec.ts',
    },
  ],
};
