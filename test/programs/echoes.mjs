// Prints what it was given.
const args = process.argv.slice(2);
console.log(`args ${JSON.stringify(args)}`);
console.log(`greeting ${process.env.GREETING}`);
console.log(`inherited PATH=${process.env.PATH} NODE_OPTIONS=${process.env.NODE_OPTIONS}`);
if (args[0] === 'exit') {
  console.error('on standard error');
  process.stdout.write('last line, without an end');
  process.exitCode = 3;
} else {
  setInterval(() => {}, 60_000);
}
