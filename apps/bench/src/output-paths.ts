import { closeSync, existsSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Why results cannot be written there, before a run of many minutes finds out. The folder is made when there is none. */
export function fileProblem(path: string): string | undefined {
  try {
    mkdirSync(dirname(path), { recursive: true });
    const wasThere = existsSync(path);
    closeSync(openSync(path, 'a'));
    if (!wasThere) rmSync(path);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Why files cannot be written into that folder; it is made when there is none. */
export function folderProblem(path: string): string | undefined {
  return fileProblem(join(path, `.millrace-bench-${process.pid}`));
}
