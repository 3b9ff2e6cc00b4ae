import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

/** Logs every call, and knows one unit: the user's own. */
const systemctl = `#!/bin/sh
echo "$@" >> "$BIN/calls"
[ "$1" != cat ] || [ "$2" = valkey.service ]
`;
/** Installs on a machine with systemd, in a process of its own whose PATH is ours to make. */
const installs = `
import { appendFileSync } from 'node:fs';
const { withoutServices } = await import(process.cwd() + '/scripts/setup/services.mjs');
withoutServices([], () => appendFileSync(process.env.BIN + '/calls', 'INSTALL\\n'), { hasSystemd: true });
`;

describe('installing a server where systemd runs', () => {
  let bin: string;
  beforeEach(() => {
    bin = mkdtempSync(join(tmpdir(), 'millrace-bin-'));
  });
  afterEach(() => rmSync(bin, { recursive: true }));

  it('never lets its service start, now or at the next boot, and leaves a service alone that was there before', () => {
    // given
    writeFileSync(join(bin, 'systemctl'), systemctl, { mode: 0o755 });
    // when
    execFileSync(process.execPath, ['--input-type=module', '--eval', installs], { env: { PATH: bin, BIN: bin } });
    // then
    const calls = readFileSync(join(bin, 'calls'), 'utf8').trim().split('\n');
    const [before, after] = [calls.slice(0, calls.indexOf('INSTALL')), calls.slice(calls.indexOf('INSTALL') + 1)];
    for (const unit of ['redis-server.service', 'redis.service', 'valkey-server.service']) {
      expect(before).toContain(`mask --runtime ${unit}`);
      expect(after).toEqual(expect.arrayContaining([`unmask --runtime ${unit}`, `disable ${unit}`]));
    }
    expect(calls.filter((call) => call.endsWith(' valkey.service'))).toEqual(['cat valkey.service']);
  });
});
