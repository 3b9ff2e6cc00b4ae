import { describe, expect, it } from '@jest/globals';
import { Command } from './client.js';
import { PreparedArguments } from './prepared-arguments.js';
import { type ScriptArgument, ScriptCommand } from './script-command.js';

const sha = 'f'.repeat(40);
const head = `$7\r\nEVALSHA\r\n$40\r\n${sha}\r\n`;
const keys = ['millrace:{queue:ä}:meta', 'millrace:{queue:ä}:ready'];

/** What ioredis writes for the same call. */
function written(args: readonly ScriptArgument[]): Buffer {
  const command = new Command('EVALSHA', [sha, keys.length, ...keys, ...args]);
  return Buffer.from(command.toWritable({}));
}

describe('ScriptCommand', () => {
  it.each<[string, ScriptArgument[]]>([
    ['no arguments', []],
    ['texts and numbers', ['one', 2, 3.5, -4, '', '2 ** 53']],
    ['a string of several bytes per character', ['grün 🌱', 'ä']],
    ['bytes', [Buffer.from([0, 13, 10, 255])]],
    ['bytes between texts', ['ä', Buffer.from('frame'), 'ö', Buffer.from('other frame'), 7]],
    ['bytes next to each other, and none', [Buffer.from('one'), Buffer.alloc(0), Buffer.from('two')]],
  ])('writes %s as ioredis does', (_, args) => {
    const command = new ScriptCommand('EVALSHA', head, { keys, args });
    expect(Buffer.from(command.toWritable())).toEqual(written(args));
  });

  it('writes keys that stand together as if each stood by itself', () => {
    const [first = '', second = ''] = keys;
    for (const together of [
      [new PreparedArguments(keys)],
      [first, new PreparedArguments([second])],
      [new PreparedArguments([first]), second],
    ]) {
      const command = new ScriptCommand('EVALSHA', head, { keys: together, args: ['x'] });
      expect(Buffer.from(command.toWritable())).toEqual(written(['x']));
      expect(command.getKeys()).toEqual(keys);
    }
  });

  it('writes arguments that stand together as if each stood by itself', () => {
    const together = [new PreparedArguments(['ä', 1]), Buffer.from('frame'), new PreparedArguments(['', 'ö']), 'x'];
    const command = new ScriptCommand('EVALSHA', head, { keys, args: together });
    expect(Buffer.from(command.toWritable())).toEqual(written(['ä', 1, Buffer.from('frame'), '', 'ö', 'x']));
  });

  it('goes to the slot of its keys', () => {
    const command = new ScriptCommand('EVALSHA', head, { keys, args: ['x'] });
    expect(command.getSlot()).toBe(new Command('exists', [keys[0] ?? '']).getSlot());
  });
});
