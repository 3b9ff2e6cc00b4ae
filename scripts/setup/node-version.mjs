import { SetupError } from './setup-error.mjs';

const oldest = [20, 19];

export function checkNodeVersion(version = process.versions.node) {
  const [major, minor] = version.split('.').map(Number);
  if (major > oldest[0] || (major === oldest[0] && minor >= oldest[1])) return;
  throw new SetupError(
    `Millrace needs Node.js ${oldest.join('.')} or newer, and this is ${version}: install a newer Node.js.`,
  );
}
