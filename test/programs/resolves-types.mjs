// Checks a file in each way in which TypeScript finds packages, and prints what is wrong. One of them checks every declaration too.
import { createRequire } from 'node:module';

const ts = createRequire(`${process.cwd()}/`)('typescript');
const ways = { node10: 'CommonJS', node16: 'Node16', nodenext: 'NodeNext', bundler: 'ESNext' };
const parsed = new Map();

for (const [moduleResolution, module] of Object.entries(ways)) {
  const settings = { noEmit: true, strict: true, types: ['node'], target: 'es2022', experimentalDecorators: true };
  const skipLibCheck = moduleResolution !== 'node10';
  const { options } = ts.convertCompilerOptionsFromJson({ ...settings, skipLibCheck, module, moduleResolution }, '.');
  const host = sharing(ts.createCompilerHost(options));
  const problems = ts.getPreEmitDiagnostics(ts.createProgram([process.argv[2]], options, host));
  for (const { file, messageText } of problems)
    console.log(`${moduleResolution}: ${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`);
  console.log(`${moduleResolution}: ${problems.length} problems`);
}

/** Parses the files of TypeScript and Node, which are the same in each way, once. */
function sharing(host) {
  const parse = host.getSourceFile.bind(host);
  host.getSourceFile = (name, how, ...rest) => {
    if (!/\/(typescript\/lib|@types)\//.test(name)) return parse(name, how, ...rest);
    const key = `${name} ${how.impliedNodeFormat}`;
    if (!parsed.has(key)) parsed.set(key, parse(name, how, ...rest));
    return parsed.get(key);
  };
  return host;
}
