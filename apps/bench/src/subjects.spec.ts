import { describe, expect, it } from '@jest/globals';
import { type BenchOptions, readOptions } from './options.js';
import { scenarios } from './scenarios.js';
import { Servers } from './servers.js';
import { missingServers, presentSubjects } from './subjects.js';

const servers = await Servers.find('everysec');

function options(...args: string[]): BenchOptions {
  return readOptions(args, scenarios);
}

function measured(name: string, given: BenchOptions): string[] {
  const scenario = scenarios.find((known) => known.name === name);
  if (scenario === undefined) throw new Error(`there is no scenario ${name}`);
  return presentSubjects(scenario, given, servers);
}

describe('a quick run', () => {
  it('measures the main peers, and beside them whom a target is held against', () => {
    expect(measured('queue.process.100', options('--quick'))).toEqual(['millrace', 'ceiling', 'bullmq']);
    expect(measured('queue.latency', options('--quick'))).toEqual(['millrace', 'bullmq']);
    expect(measured('log.consume', options('--quick'))).toEqual(['millrace', 'ceiling', 'ioredis']);
  });

  it('leaves out who would take minutes', () => {
    expect(measured('takeover', options('--quick'))).toEqual(['millrace', 'bullmq-tuned']);
    expect(measured('takeover', options())).toContain('bullmq');
  });

  it('leaves nothing out that is asked for', () => {
    const asked = options('--quick', '--subjects', 'millrace,groupmq,ioredis');
    expect(measured('queue.process.100', asked)).toEqual(['millrace', 'groupmq', 'ioredis']);
  });

  it('leaves out no scenario', () => {
    const empty = scenarios.filter(({ name }) => measured(name, options('--quick'))[0] !== 'millrace');
    expect(empty).toEqual([]);
  });

  it('misses no server but Redis', () => {
    expect(missingServers(options('--quick'), servers)).toEqual({});
  });
});
