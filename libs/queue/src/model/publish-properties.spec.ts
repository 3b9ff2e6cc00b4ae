import { describe, expect, it } from '@jest/globals';
import { jsonCodec } from '@millrace/core';
import { noProperties } from './message-frame.js';
import {
  checkMessage,
  delayOf,
  headersOf,
  type PublishProperties,
  priorityOf,
  storedProperties,
} from './publish-properties.js';

const check = (properties?: object, routingKey = 'k') =>
  checkMessage('publish to "orders"', routingKey, properties as PublishProperties);
const long = 'x'.repeat(255);

describe('the properties of a message', () => {
  it.each<[name: string, ...values: unknown[]]>([
    ['messageId', 'a', long],
    ['correlationId', '', long],
    ['replyTo', '', long],
    ['type', '', long],
    ['shardKey', '', long],
    ['priority', 0, 300],
    ['expirationMs', 1],
    ['delayMs', -1, 0, 0.5, Number.MAX_SAFE_INTEGER],
    ['retry', { maxRetries: 1 }],
    ['mandatory', true, false],
    ['timestamp', 0],
    ['codec', jsonCodec],
    ['headers', { a: 1 }],
    ['messageId', undefined],
    ['other', undefined],
  ])('are taken as they are: %s', (name, ...values) => {
    for (const value of values) {
      const properties = { [name]: value };
      expect(check(properties)).toBe(properties);
    }
  });

  it('may be left out, and so may be a header', () => {
    expect(check()).toEqual({});
    expect(check({ priority: 1, headers: { a: 1, b: undefined } })).toStrictEqual({ priority: 1, headers: { a: 1 } });
  });

  it.each<[properties: object, problem: string]>([
    [{ messageId: '' }, 'messageId must not be empty'],
    [{ messageId: 5 }, 'messageId must be a string'],
    [{ messageId: 'j\ud800' }, 'messageId holds half a surrogate pair, which UTF-8 cannot encode'],
    [{ messageId: `${long}x` }, 'messageId is longer than 255 bytes'],
    [{ correlationId: 'é'.repeat(128) }, 'correlationId is longer than 255 bytes'],
    [{ replyTo: null }, 'replyTo must be a string'],
    [{ type: {} }, 'type must be a string'],
    [{ shardKey: 5 }, 'shardKey must be a string'],
    [{ headers: { 'millrace-x': 1 } }, 'header "millrace-x" is reserved. Use a name without "millrace-"'],
    [{ priority: -1 }, 'priority must be a whole number, at least 0, got -1'],
    [{ priority: 1.5 }, 'priority must be a whole number, at least 0, got 1.5'],
    [{ expirationMs: 0 }, 'expirationMs must be a whole number of ms, at least 1, got 0'],
    [{ delayMs: Number.NaN }, 'delayMs must be a number of ms (0 or less is now), got NaN'],
    [{ delayMs: '5' }, 'delayMs must be a number of ms (0 or less is now), got "5"'],
    [{ delayMs: 2 ** 53 }, 'delayMs must be a number of ms (0 or less is now), got 9007199254740992'],
    [{ retry: 5 }, 'retry must be { maxRetries, backoff }, got 5'],
    [{ mandatory: 1 }, 'mandatory must be true or false'],
    [{ timestamp: -1 }, 'timestamp must be a whole number of ms since 1970, got -1'],
    [{ codec: 'json' }, 'codec is wrong: a codec must be { id: 16–255, name, encode, decode }, got "json"'],
    [{ prioriti: 1 }, 'prioriti is not a property of a message (did you mean "priority"?)'],
    [{ constructor: 1 }, 'constructor is not a property of a message'],
  ])('are refused: %p', (properties, problem) => {
    expect(() => check(properties)).toThrow(`publish to "orders": ${problem}.`);
  });

  it('go with a routing key, which may be wrong', () => {
    expect(() => check({}, 5 as never)).toThrow('publish to "orders": routing key must be a string, got number.');
    expect(() => check(undefined, 5 as never)).toThrow(
      'publish to "orders": routing key must be a string, got number.',
    );
  });

  it('of which some are kept with the message', () => {
    expect(storedProperties({ messageId: 'a', priority: 1, retry: {} })).toBe(noProperties);
    for (const name of ['correlationId', 'replyTo', 'type', 'shardKey'])
      expect(storedProperties({ [name]: 'x', messageId: 'a' })).toEqual({ [name]: 'x' });
    expect(storedProperties({ expirationMs: 5 })).toEqual({ expirationMs: 5 });
    expect(storedProperties({ retry: { maxRetries: 1 } })).toEqual({ retry: { maxRetries: 1 } });
  });

  it('say what the frame and the queue need', () => {
    expect([undefined, -1, 0, 0.1, 5].map((delayMs) => delayOf({ delayMs }))).toEqual([
      undefined,
      undefined,
      undefined,
      1,
      5,
    ]);
    expect([undefined, 3, 255, 256].map((priority) => priorityOf({ priority }))).toEqual([0, 3, 255, 255]);
    const headers = { a: 1 };
    expect(headersOf({ headers })).toBe(headers);
    expect(headersOf({})).toEqual({});
  });
});
