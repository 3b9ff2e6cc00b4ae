import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { waitFor } from '@millrace/testing';

/** Ends with code 0 on SIGTERM; at the latest when its stdin ends. */
const program = `
process.on('SIGTERM', () => { console.log('drained'); process.exit(0); });
process.stdin.resume().on('end', () => process.exit(1));
console.log('running');
`;

describe.each(['start', 'test'])('npm %s', (command) => {
  let root: string;
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'millrace-root-'));
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
    mkdirSync(join(root, 'scripts'));
    writeFileSync(join(root, 'package.json'), JSON.stringify({ name: 'millrace', scripts }));
    writeFileSync(join(root, `scripts/${command}.mjs`), program);
  });
  afterAll(() => rmSync(root, { recursive: true }));

  it('hands SIGTERM on to the program, waits for it, and ends as it ends', async () => {
    // given: npm runs scripts in a shell, which would die of the signal and leave the program behind
    const npm = spawn('npm', [command], { cwd: root, stdio: ['pipe', 'pipe', 'inherit'] });
    let printed = '';
    npm.stdout.on('data', (text) => {
      printed += text;
    });
    const ended = once(npm, 'close');
    await waitFor(() => printed.includes('running'), { what: 'npm to start the program', timeoutMs: 20_000 });
    // when
    npm.kill('SIGTERM');
    // then
    expect(await ended).toEqual([0, null]);
    expect(printed).toContain('drained');
  });
});
