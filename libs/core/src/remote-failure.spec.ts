import { describe, expect, it } from '@jest/globals';
import { describeRemotely, remoteDetails, sendableProperties } from './remote-failure.js';

const secret = 'Bearer 1234';

/** As axios makes one: the request with its headers, and a `toJSON` that shows it. */
function httpError(): Error {
  const config = { url: 'http://10.0.0.7/charge', headers: { authorization: secret } };
  const response = { status: 401, data: 'no', config };
  const toJSON = () => ({ message: 'Request failed', config });
  const own = { code: 'ERR_BAD_REQUEST', status: 401, config, response, toJSON };
  return Object.assign(new Error('Request failed with status code 401'), own, { name: 'AxiosError' });
}

/** As ioredis makes one: the command and its arguments. */
function replyError(): Error {
  const command = { name: 'set', args: ['session', secret] };
  return Object.assign(new Error('WRONGTYPE'), { name: 'ReplyError', command });
}

describe('an error as its requester gets it', () => {
  const plain = { name: 'TypeError', message: 'no' };
  const error = (more: object) => Object.assign(new TypeError('no'), { stack: 'at 1' }, more);

  it('has name, message, code and status, and nothing else of what it carries', () => {
    expect(describeRemotely(httpError())).toStrictEqual({
      name: 'AxiosError',
      message: 'Request failed with status code 401',
      code: 'ERR_BAD_REQUEST',
      status: 401,
    });
    expect(describeRemotely(replyError())).toStrictEqual({ name: 'ReplyError', message: 'WRONGTYPE' });
    expect(describeRemotely(error({ code: {}, status: true, cause: 'x', missing: 7 }))).toStrictEqual(plain);
    expect(describeRemotely(error({ code: 7, status: 'gone' }))).toStrictEqual({ ...plain, code: 7, status: 'gone' });
    const thrown = { code: 'E1', request: { auth: secret } };
    expect(describeRemotely(thrown)).toStrictEqual({ name: 'NonError', message: '{"code":"E1"}', code: 'E1' });
    expect(describeRemotely(null)).toStrictEqual({ name: 'NonError', message: 'null' });
  });

  it('has the details that its class marks, and of an error in them no more than of one that was thrown', () => {
    const details = { sku: 'A1', big: 1n, why: httpError(), deep: [{ why: replyError() }] };
    const described = describeRemotely(error({ [remoteDetails]: details }));
    expect(described).toMatchObject({ ...plain, details: { sku: 'A1', why: { status: 401 } } });
    expect(described.details?.deep).toStrictEqual([{ why: { name: 'ReplyError', message: 'WRONGTYPE' } }]);
    expect(JSON.stringify(described)).not.toContain(secret);
    for (const none of [{}, null, 'text', { big: 1n }])
      expect(describeRemotely(error({ [remoteDetails]: none }))).toStrictEqual(plain);
    const unreadable = Object.defineProperty(error({}), remoteDetails, {
      get() {
        throw new Error('not readable');
      },
    });
    expect(describeRemotely(unreadable)).toStrictEqual(plain);
  });

  it('is bounded', () => {
    const long = 'x'.repeat(16_000);
    expect(describeRemotely(error({ code: long, [remoteDetails]: { long, short: 1 } }))).toStrictEqual({
      ...plain,
      code: 'x'.repeat(200),
      details: { short: 1 },
    });
  });

  it("has what Nest's RpcException was given: an object whole, an error as if it had been thrown", () => {
    class RpcException extends Error {
      constructor(readonly given: unknown) {
        super((given as Partial<Error>).message ?? 'Rpc Exception');
      }
      getError(): unknown {
        return this.given;
      }
    }
    class Refused extends RpcException {}
    const object = { code: 42, status: 'odd', message: 'odd', retryable: true, cause: httpError() };
    const described = describeRemotely(new Refused(object));
    expect(described).toMatchObject({
      name: 'Error',
      message: 'odd',
      code: 42,
      status: 'odd',
      details: { retryable: true },
    });
    expect(described.details?.cause).toMatchObject({ name: 'AxiosError', status: 401 });
    expect(JSON.stringify(described)).not.toContain(secret);
    const marked = error({ code: 7, own: secret, [remoteDetails]: { sku: 'A1' } });
    expect(describeRemotely(new RpcException(marked))).toStrictEqual({ ...plain, code: 7, details: { sku: 'A1' } });
    expect(describeRemotely(new RpcException({ own: secret, [remoteDetails]: { sku: 'A1' } }))).toStrictEqual({
      name: 'Error',
      message: 'Rpc Exception',
      details: { sku: 'A1' },
    });
    expect(describeRemotely(new RpcException('no'))).toStrictEqual({ name: 'Error', message: 'Rpc Exception' });
    const getError = (): never => {
      throw new Error('not readable');
    };
    const unreadable = Object.assign(new RpcException({}), { getError });
    expect(describeRemotely(unreadable)).toStrictEqual({ name: 'Error', message: 'Rpc Exception' });
    // Another class's `getError` is its own affair.
    expect(describeRemotely(error({ getError: () => httpError() }))).toStrictEqual(plain);
  });

  it('is what an application sends in its place, without what errors in it carry', () => {
    const payload = { code: 42, at: { line: 7 }, big: 1n, cause: httpError() };
    const sent = sendableProperties(payload);
    expect(sent).toMatchObject({ code: 42, at: { line: 7 }, cause: { name: 'AxiosError', status: 401 } });
    expect(JSON.stringify(sent)).not.toContain(secret);
  });
});
