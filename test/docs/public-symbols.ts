import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import ts from 'typescript';
import { root } from './code-blocks.js';

/** A name that users can import, or a member of one. */
export interface PublicSymbol {
  /** `log: Producer.send` */
  readonly name: string;
  /** Where it is declared: `libs/log/src/producer/producer.ts:40` */
  readonly place: string;
  /** Its docstring, or the one it inherits; empty without one. */
  readonly text: string;
}

/** Every file that users can import from: what `exports` of each lib's package.json names. */
export function entryPoints(): { lib: string; name: string; file: string }[] {
  return readdirSync(join(root, 'libs')).flatMap((lib) => {
    const { exports } = JSON.parse(readFileSync(join(root, 'libs', lib, 'package.json'), 'utf8')) as {
      exports: Record<string, { readonly import: { readonly types: string } }>;
    };
    return Object.entries(exports).map(
      ([
        path,
        {
          import: { types },
        },
      ]) => {
        const file = join(root, 'libs', lib, types.replace('/dist/', '/src/').replace('.d.ts', '.ts'));
        return { lib, name: join('@millrace', lib, path), file };
      },
    );
  });
}

/** All that the libs export, with the public members of classes and interfaces, in the lib that declares them. */
export function publicSymbols(): PublicSymbol[] {
  const config = ts.getParsedCommandLineOfConfigFile(
    join(root, 'tsconfig.json'),
    {},
    { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => undefined },
  );
  const entries = entryPoints();
  const program = ts.createProgram(
    entries.map(({ file }) => file),
    config?.options ?? {},
  );
  const checker = program.getTypeChecker();
  const found = new Map<string, PublicSymbol>();
  for (const { file } of entries) {
    const source = program.getSourceFile(file);
    const module = source && checker.getSymbolAtLocation(source);
    if (module === undefined) throw new Error(`${relative(root, file)} is not a module`);
    for (const exported of checker.getExportsOfModule(module)) {
      const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
      for (const one of withMembers(symbol, checker)) found.set(`${one.place} ${one.name}`, one);
    }
  }
  return [...found.values()];
}

function withMembers(symbol: ts.Symbol, checker: ts.TypeChecker): PublicSymbol[] {
  const own = described(symbol, symbol.name, checker);
  // Of another package (`Redis` of ioredis): documented there.
  if (own === undefined) return [];
  const members = [...membersOf(symbol)].filter(isPublic);
  return [own, ...members.flatMap((member) => described(member, `${symbol.name}.${member.name}`, checker) ?? [])];
}

function membersOf(symbol: ts.Symbol): ts.Symbol[] {
  const statics = symbol.flags & ts.SymbolFlags.Class ? [...(symbol.exports?.values() ?? [])] : [];
  const literals = (symbol.declarations ?? []).flatMap((node) =>
    ts.isTypeAliasDeclaration(node) && ts.isTypeLiteralNode(node.type) ? node.type.members : [],
  );
  return [...(symbol.members?.values() ?? []), ...statics, ...literals.flatMap(symbolOf)];
}

/** The compiler keeps a node's symbol there, without saying so in its types. */
function symbolOf(node: ts.Node): ts.Symbol[] {
  return 'symbol' in node ? [node.symbol as ts.Symbol] : [];
}

function isPublic(member: ts.Symbol): boolean {
  const kinds = ts.SymbolFlags.Property | ts.SymbolFlags.Method | ts.SymbolFlags.Accessor;
  // `[Symbol.asyncIterator]` and its like, which the language gives their meaning, have names that begin with `__`.
  if ((member.flags & kinds) === 0 || /^(#|__|prototype$)/.test(member.name)) return false;
  const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected;
  return (member.declarations ?? []).every((node) => (ts.getCombinedModifierFlags(node) & hidden) === 0);
}

function described(symbol: ts.Symbol, name: string, checker: ts.TypeChecker): PublicSymbol | undefined {
  const node = symbol.declarations?.find((one) => one.getSourceFile().fileName.startsWith(join(root, 'libs')));
  if (node === undefined) return undefined;
  const source = node.getSourceFile();
  const path = relative(root, source.fileName);
  const line = source.getLineAndCharacterOfPosition(node.getStart()).line + 1;
  const comments = [symbol.getDocumentationComment(checker), ...parameterComments(node)];
  return {
    name: `${path.split('/')[1]}: ${name}`,
    place: `${path}:${line}`,
    text: comments
      .map((parts) => ts.displayPartsToString([...parts]))
      .join('')
      .trim(),
  };
}

/** A property that is a parameter of the constructor may be described there, with `@param`. */
function parameterComments(node: ts.Declaration): ts.SymbolDisplayPart[][] {
  if (!ts.isParameter(node)) return [];
  return ts
    .getJSDocParameterTags(node)
    .map((tag) => [{ kind: 'text', text: ts.getTextOfJSDocComment(tag.comment) ?? '' }]);
}
