// Does nothing until it is killed; a polite signal does not end it.
process.on('SIGTERM', () => console.log('got SIGTERM'));
setInterval(() => {}, 60_000);
console.log('waiting');
