// What `nest new` writes, as far as loading and testing a package depend on it.

interface Template {
  /** In addition to Millrace's packages. */
  readonly dependencies: readonly string[];
  readonly files: Readonly<Record<string, string>>;
}

const tsconfig = {
  module: 'nodenext',
  moduleResolution: 'nodenext',
  resolvePackageJsonExports: true,
  esModuleInterop: true,
  isolatedModules: true,
  declaration: true,
  removeComments: true,
  emitDecoratorMetadata: true,
  experimentalDecorators: true,
  allowSyntheticDefaultImports: true,
  target: 'ES2023',
  sourceMap: true,
  outDir: './dist',
  incremental: true,
  skipLibCheck: true,
};
const nestCli = { collection: '@nestjs/schematics', sourceRoot: 'src', compilerOptions: { deleteOutDir: true } };
const shared = ['reflect-metadata', 'rxjs', '@types/node@24'];

/** Nest 11: CommonJS, and Jest with ts-jest. */
export const nest11: Template = {
  dependencies: [
    ...['@nestjs/common@11', '@nestjs/core@11', '@nestjs/platform-express@11', '@nestjs/testing@11'],
    ...['@nestjs/microservices@11', '@types/jest@30', 'jest@30', 'ts-jest@29', 'typescript@5', ...shared],
  ],
  files: {
    'package.json': JSON.stringify({
      name: 'nest-11',
      private: true,
      jest: {
        moduleFileExtensions: ['js', 'json', 'ts'],
        rootDir: 'src',
        testRegex: '.*\\.spec\\.ts$',
        transform: { '^.+\\.(t|j)s$': 'ts-jest' },
        testEnvironment: 'node',
      },
    }),
    'tsconfig.json': JSON.stringify({ compilerOptions: { ...tsconfig, strictNullChecks: true, baseUrl: './' } }),
    'tsconfig.build.json': JSON.stringify({
      extends: './tsconfig.json',
      exclude: ['node_modules', 'test', 'dist', '**/*spec.ts'],
    }),
    'nest-cli.json': JSON.stringify(nestCli),
  },
};

/** Nest 12: ESM, and Vitest. */
export const nest12: Template = {
  dependencies: [
    ...['@nestjs/common@12', '@nestjs/core@12', '@nestjs/platform-express@12', '@nestjs/testing@12'],
    ...['vitest@4', ...shared],
  ],
  files: {
    'package.json': JSON.stringify({ name: 'nest-12', private: true, type: 'module' }),
    'tsconfig.json': JSON.stringify({
      compilerOptions: {
        ...tsconfig,
        rootDir: '.',
        strict: true,
        strictPropertyInitialization: false,
        types: ['vitest/globals', 'node'],
      },
    }),
    'vitest.config.ts': `import { defineConfig } from 'vitest/config';
export default defineConfig({ test: { globals: true, root: './', include: ['**/*.spec.ts'] } });
`,
  },
};
