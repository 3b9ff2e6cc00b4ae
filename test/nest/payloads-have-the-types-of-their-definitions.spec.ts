import { resolve } from 'node:path';
import { expect, it } from '@jest/globals';
import ts from 'typescript';

// Tests run without their types. What the compiler must refuse stands in these specs behind `@ts-expect-error`, which is an error
// itself where the compiler refuses nothing.
const specs = [
  'a-handle-does-all-that-its-queue-or-topic-can',
  'an-invalid-payload-never-reaches-the-handler',
  'wrong-options-stop-the-start',
].map((name) => resolve(`test/nest/${name}.spec.ts`));

it('refuses payloads, routing keys and options that definitions and handlers do not have', () => {
  const { config } = ts.readConfigFile('tsconfig.json', ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, resolve('.'));
  const program = ts.createProgram(specs, { ...options, noEmit: true, incremental: false, composite: false });
  const files = specs.map((spec) => program.getSourceFile(spec));
  const expected = files.flatMap((file) => file?.text.match(/@ts-expect-error/g) ?? []);
  const found = files.flatMap((file) => program.getSemanticDiagnostics(file));
  expect(expected.length).toBeGreaterThanOrEqual(20);
  expect(found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))).toEqual([]);
}, 120_000);
