// `npm run build:commonjs`: the second build of every lib, for `require`: libs/*/dist/cjs. `npm pack` and `npm publish` run it first; nothing
// in this repository needs it.
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildCommonJs } from './setup/commonjs.mjs';
import { setup } from './setup.mjs';

setup(['packages', 'build']);
await buildCommonJs(resolve(dirname(fileURLToPath(import.meta.url)), '..'), (line) => console.error(line));
