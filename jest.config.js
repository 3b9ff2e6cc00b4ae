// The suites of one server can be run on a cluster (`npm run test:cluster`) or under a user with only the documented rights
// (`npm run test:acl`): then something else stands in for @millrace/testing.
const standIn = { cluster: 'test/cluster/testing.ts', acl: 'test/security/testing.ts' }[process.env.MILLRACE_TEST_ON];

const jsc = {
  target: 'es2022',
  parser: { syntax: 'typescript', decorators: true },
  transform: { legacyDecorator: true, decoratorMetadata: true },
};

/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/libs', '<rootDir>/apps', '<rootDir>/test'],
  testMatch: ['**/*.spec.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': ['@swc/jest', { jsc, module: { type: 'es6' } }],
    '^.+\\.cts$': ['@swc/jest', { jsc, module: { type: 'commonjs' } }],
  },
  // Sources import each other as `./file.js` (what Node runs after the build); tests run the sources themselves.
  moduleNameMapper: {
    '^(\\.{1,2}/.*)\\.js$': '$1',
    '^(\\.{1,2}/.*)\\.cjs$': ['$1.cts', '$1.cjs'],
    ...(standIn === undefined ? {} : { '^@millrace/testing$': `<rootDir>/${standIn}` }),
    '^@millrace/([^/]+)/([^/]+)$': '<rootDir>/libs/$1/src/$2.ts',
    '^@millrace/([^/]+)$': '<rootDir>/libs/$1/src/index.ts',
  },
  testTimeout: 60_000,
  // Most tests wait for servers more than they compute: two workers left half of two cores idle.
  maxWorkers: 3,
};
