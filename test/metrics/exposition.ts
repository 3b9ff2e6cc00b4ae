/** One line of an exposition. */
export interface Line {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Reads Prometheus' text form. */
export function parseExposition(text: string): Line[] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, name = '', labels = '', value = ''] = /^([a-zA-Z_:]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
      const pairs = [...labels.matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, text = '']) => [
        key,
        text.replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped)),
      ]);
      return { name, labels: Object.fromEntries(pairs), value: Number(value) };
    });
}

/** The value of the one line with this name and at least these labels; undefined when there is none. */
export function sampleOf(
  text: string,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const found = linesOf(text, name).filter((line) =>
    Object.entries(labels).every(([key, value]) => line.labels[key] === value),
  );
  if (found.length > 1) throw new Error(`${found.length} lines of ${name} ${JSON.stringify(labels)}`);
  return found[0]?.value;
}

export function linesOf(text: string, name: string): Line[] {
  return parseExposition(text).filter((line) => line.name === name);
}
