import { join, relative } from 'node:path';
import ts from 'typescript';
import { root } from '../docs/code-blocks.js';
import { entryPoints } from '../docs/public-symbols.js';

/**
 * Every function that a user can hand to Millrace, as the compiler sees it: what is a function among the parameters of
 * exported functions, constructors and methods, and in the options that they take; and a listener of each event. Named after
 * the lib and the place of its declaration: `log: HandlingOptions.handler`.
 */
export function functionsOfUsers(): string[] {
  found ??= find();
  return found;
}

let found: string[] | undefined;

function find(): string[] {
  const config = ts.getParsedCommandLineOfConfigFile(
    join(root, 'tsconfig.json'),
    {},
    { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => undefined },
  );
  const files = entryPoints().map(({ file }) => file);
  const program = ts.createProgram(files, config?.options ?? {});
  const search = new Search(program.getTypeChecker());
  for (const file of files) {
    const source = program.getSourceFile(file);
    if (source === undefined) throw new Error(`${relative(root, file)} is not a module`);
    search.module(source);
  }
  return [...search.found].sort();
}

class Search {
  readonly found = new Set<string>();
  readonly #checker: ts.TypeChecker;
  readonly #seen = new Set<ts.Type>();

  constructor(checker: ts.TypeChecker) {
    this.#checker = checker;
  }

  module(source: ts.SourceFile): void {
    const module = this.#checker.getSymbolAtLocation(source);
    for (const exported of module === undefined ? [] : this.#checker.getExportsOfModule(module)) {
      const isAlias = (exported.flags & ts.SymbolFlags.Alias) !== 0;
      this.#exported(isAlias ? this.#checker.getAliasedSymbol(exported) : exported);
    }
  }

  #exported(symbol: ts.Symbol): void {
    for (const node of symbol.declarations ?? []) {
      if (!isOurs(node)) continue;
      if (ts.isClassDeclaration(node)) this.#class(node);
      else if (ts.isFunctionDeclaration(node)) this.#parameters(node, symbol.name);
      else if (symbol.name.endsWith('Events')) this.#events(symbol, node);
      else if (/(Options|Input|Factory)$/.test(symbol.name))
        this.#given(this.#checker.getDeclaredTypeOfSymbol(symbol), symbol.name);
    }
  }

  #class(node: ts.ClassDeclaration): void {
    const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected;
    for (const member of node.members) {
      if ((ts.getCombinedModifierFlags(member) & hidden) !== 0) continue;
      if (ts.isConstructorDeclaration(member)) this.#parameters(member, `${node.name?.text}.constructor`);
      if (ts.isMethodDeclaration(member) && !ts.isPrivateIdentifier(member.name))
        this.#parameters(member, `${node.name?.text}.${member.name.getText()}`);
    }
  }

  #parameters(node: ts.SignatureDeclaration, name: string): void {
    for (const parameter of node.parameters) {
      const path = `${libOf(node)}: ${name}(${parameter.name.getText()})`;
      this.#given(this.#checker.getTypeAtLocation(parameter), path);
    }
  }

  #events(symbol: ts.Symbol, node: ts.Node): void {
    for (const { name } of this.#checker.getDeclaredTypeOfSymbol(symbol).getProperties())
      this.found.add(`${libOf(node)}: ${symbol.name}.${name}`);
  }

  /** A value that a user gives: a function, or something that may hold one. */
  #given(type: ts.Type, path: string): void {
    if (type.isUnionOrIntersection()) {
      for (const part of type.types) this.#given(part, path);
      return;
    }
    const signatures = type.getCallSignatures();
    const isList = this.#checker.isArrayType(type) || this.#checker.isTupleType(type);
    if (signatures.length === 0 && !isList) {
      if (this.#seen.has(type)) return;
      this.#seen.add(type);
    }
    if (signatures.length > 0) {
      if (!this.found.has(path))
        for (const signature of signatures) this.#given(signature.getReturnType(), `${path}()`);
      this.found.add(path);
      return;
    }
    if ((type.flags & ts.TypeFlags.Object) === 0) return;
    for (const property of type.getProperties()) this.#property(property);
    const parts = [type.getStringIndexType(), ...this.#checker.getTypeArguments(type as ts.TypeReference)];
    for (const part of parts) if (part !== undefined) this.#given(part, `${path}[]`);
  }

  /** What a user cannot write (the members of a class of ours) or what is not ours (ioredis, Nest) is left out. */
  #property(property: ts.Symbol): void {
    const node = property.valueDeclaration ?? property.declarations?.[0];
    if (node === undefined || !isOurs(node) || ts.isClassDeclaration(node.parent)) return;
    this.#given(this.#checker.getTypeOfSymbol(property), `${libOf(node)}: ${ownerOf(node)}.${property.name}`);
  }
}

function isOurs(node: ts.Node): boolean {
  return node.getSourceFile().fileName.startsWith(join(root, 'libs'));
}

function libOf(node: ts.Node): string {
  return relative(root, node.getSourceFile().fileName).split('/')[1] ?? '';
}

/** The named type that a property stands in. */
function ownerOf(node: ts.Node): string {
  for (let parent = node.parent; parent !== undefined; parent = parent.parent) {
    if (ts.isInterfaceDeclaration(parent) || ts.isTypeAliasDeclaration(parent) || ts.isFunctionDeclaration(parent))
      return parent.name?.text ?? '';
  }
  return '';
}
