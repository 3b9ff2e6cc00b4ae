import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { Readable } from 'node:stream';

export interface Run {
  readonly lines: readonly string[];
  readonly errors: string;
  readonly status: number | null;
}

/** A repository of its own, with our scripts, nothing to install and nothing to build. */
export class FakeRoot {
  readonly path = mkdtempSync(join(tmpdir(), 'millrace-root-'));

  constructor() {
    cpSync('scripts', join(this.path, 'scripts'), { recursive: true });
    mkdirSync(join(this.path, 'node_modules'));
    symlinkSync(resolve('node_modules/jest'), join(this.path, 'node_modules/jest'));
    for (const name of ['package-lock.json', 'node_modules/.package-lock.json']) this.write(name, '{"packages":{}}');
    this.write('tsconfig.base.json', '{}');
    this.write('tsconfig.build.json', '{"references":[]}');
    this.write('node_modules/typescript/bin/tsc', '');
    this.write('jest.config.cjs', 'module.exports = { testMatch: ["**/*.spec.cjs"], transform: {} };');
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.path, path)), { recursive: true });
    writeFileSync(join(this.path, path), text);
  }

  /** A server program that says which it is, and does nothing else. */
  server(name: string, versionLine: string): string {
    this.write(name, `#!/bin/sh\necho "${versionLine}"\n`);
    chmodSync(join(this.path, name), 0o755);
    return join(this.path, name);
  }

  run(script: string, ...args: string[]): Run {
    const run = spawnSync(process.execPath, [script, ...args], { ...this.#surroundings, encoding: 'utf8' });
    return { lines: run.stdout.trimEnd().split('\n'), errors: run.stderr, status: run.status };
  }

  /** Starts a script without waiting for its end. */
  start(script: string): ChildProcessByStdio<null, Readable, null> {
    return spawn(process.execPath, [script], { ...this.#surroundings, stdio: ['ignore', 'pipe', 'ignore'] });
  }

  get #surroundings() {
    const { MILLRACE_TEST_ON: _on, MILLRACE_FUZZ_SEED: _seed, ...env } = process.env;
    return { cwd: this.path, env };
  }

  remove(): void {
    rmSync(this.path, { recursive: true });
  }
}
