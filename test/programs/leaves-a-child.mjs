// Starts a process that outlives it and holds its output open, prints that one's process id, and ends.
import { spawn } from 'node:child_process';

const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' });
console.log(`left ${child.pid}`);
process.exit(1);
