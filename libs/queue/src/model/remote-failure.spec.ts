import { describe, expect, it } from '@jest/globals';
import { parseRemoteFailure } from './remote-failure.js';

describe('an error on its way to the requester', () => {
  const unread = { name: 'Error', message: '' };

  it('is read, whatever bytes there are', () => {
    const whole = { name: 'TypeError', message: 'no', code: 'E1', status: 404, details: { a: 1 } };
    expect(parseRemoteFailure(JSON.stringify({ ...whole, stack: 'at 1' }))).toStrictEqual(whole);
    expect(parseRemoteFailure('{"code":7,"status":"x"}')).toStrictEqual({ ...unread, code: 7, status: 'x' });
    const odd = '{"name":1,"message":null,"code":true,"status":{},"details":"x"}';
    expect(parseRemoteFailure(odd)).toStrictEqual(unread);
    expect(parseRemoteFailure('{"details":null}')).toStrictEqual(unread);
    for (const json of ['{', 'null'])
      expect(parseRemoteFailure(json)).toStrictEqual({
        name: 'Error',
        message: 'the responder failed, and its error cannot be read',
      });
  });
});
