import { describe, expect, it } from '@jest/globals';
import { describeRemotely, parseRemoteFailure } from './remote-failure.js';

describe('an error on its way to the requester', () => {
  const plain = { name: 'TypeError', message: 'no', stack: 'at 1' };
  const error = (more: object) => Object.assign(new TypeError('no'), { stack: 'at 1' }, more);

  it('has its code and what else it says', () => {
    expect(describeRemotely(error({}))).toStrictEqual(plain);
    expect(describeRemotely(error({ code: 'E1', status: 404, cause: 'x', name: 'TypeError' }))).toStrictEqual({
      ...plain,
      code: 'E1',
      details: { status: 404 },
    });
    expect(describeRemotely(error({ code: 7 }))).toStrictEqual({ ...plain, code: 7 });
    expect(describeRemotely(error({ code: {} }))).toStrictEqual(plain);
    expect(describeRemotely({ code: 'E1' })).toStrictEqual({ name: 'NonError', message: '{"code":"E1"}', stack: '' });
  });

  it('is bounded', () => {
    expect(describeRemotely(error({ long: 'x'.repeat(16_000), short: 1 }))).toStrictEqual({
      ...plain,
      details: { short: 1 },
    });
  });

  it('is read, whatever stands there', () => {
    const whole = { ...plain, code: 'E1', details: { a: 1 } };
    expect(parseRemoteFailure(JSON.stringify(whole))).toStrictEqual(whole);
    expect(parseRemoteFailure(JSON.stringify({ ...plain, code: 7 }))).toStrictEqual({ ...plain, code: 7 });
    expect(parseRemoteFailure('{"name":1,"message":null,"code":true,"details":"x"}')).toStrictEqual({
      name: 'Error',
      message: '',
      stack: '',
    });
    expect(parseRemoteFailure('{"details":null}')).toStrictEqual({ name: 'Error', message: '', stack: '' });
    for (const json of ['{', 'null'])
      expect(parseRemoteFailure(json)).toStrictEqual({
        name: 'Error',
        message: 'the responder failed, and its error cannot be read',
        stack: '',
      });
  });
});
