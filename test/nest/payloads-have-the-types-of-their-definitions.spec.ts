import { resolve } from 'node:path';
import { expect, it } from '@jest/globals';
import ts from 'typescript';

// Tests run without their types. What the compiler must refuse stands in this spec behind `@ts-expect-error`, which is an error
// itself where the compiler refuses nothing.
const spec = resolve('test/nest/an-invalid-payload-never-reaches-the-handler.spec.ts');

it('refuses a payload or a routing key that the definition of a topic, queue or exchange does not have', () => {
  const { config } = ts.readConfigFile('tsconfig.json', ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, resolve('.'));
  const program = ts.createProgram([spec], { ...options, noEmit: true, incremental: false, composite: false });
  const file = program.getSourceFile(spec);
  const expected = file?.text.match(/@ts-expect-error/g) ?? [];
  const found = program.getSemanticDiagnostics(file);
  expect(expected.length).toBeGreaterThanOrEqual(5);
  expect(found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))).toEqual([]);
}, 120_000);
