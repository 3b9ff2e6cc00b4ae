import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

// Where distributions put servers, beside what PATH says.
const usualFolders = ['/usr/sbin', '/usr/local/sbin', '/usr/lib/rabbitmq/bin', '/opt/homebrew/sbin'];

/** The full path of an installed program, or undefined. */
export async function programOnPath(name: string, first: readonly string[] = []): Promise<string | undefined> {
  const folders = [...first, ...(process.env.PATH ?? '').split(delimiter), ...usualFolders];
  for (const folder of folders.filter((entry) => entry !== '')) {
    const path = join(folder, name);
    const isThere = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  return undefined;
}
