import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Not pure: its spec needs the clock of Jest. */
const timer = 'libs/core/src/timer';

/** The sources in libs/core and in every model/, from the root. */
export function pureFiles(root) {
  return filesOf(root).filter((file) => !file.endsWith('.spec.ts') && !file.endsWith('/index.ts'));
}

/** The specs beside them. */
export function specsOfPureCode(root) {
  return filesOf(root).filter((file) => file.endsWith('.spec.ts'));
}

/** The lib of a file: `libs/queue/src/model/routing.ts` belongs to `queue`. */
export function libOf(file) {
  return file.split('/')[1];
}

function filesOf(root) {
  const models = readdirSync(join(root, 'libs')).map((lib) => `libs/${lib}/src/model`);
  const folders = ['libs/core/src', ...models.filter((folder) => existsSync(join(root, folder)))];
  const files = folders.flatMap((folder) => readdirSync(join(root, folder)).map((name) => `${folder}/${name}`));
  return files.filter((file) => file.endsWith('.ts') && !file.startsWith(timer));
}
