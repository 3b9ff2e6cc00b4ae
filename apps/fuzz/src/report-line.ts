/** What the process under load writes to its standard output, a line of JSON each. */
export type ReportLine =
  | { readonly kind: 'pulse'; readonly lagMs: number; readonly heapBytes: number; readonly rssBytes: number }
  /** A value that was sent came to a handler. */
  | { readonly kind: 'handled'; readonly flow: string; readonly value: number }
  /** An error of Millrace's. */
  | { readonly kind: 'clear'; readonly name: string }
  /** An error that is none of Millrace's: its words explain nothing to a user. */
  | { readonly kind: 'unclear'; readonly during: string; readonly text: string }
  /** An exception that was not caught. */
  | { readonly kind: 'uncaught'; readonly text: string };

/** Undefined for what is no report. */
export function parseReportLine(line: string): ReportLine | undefined {
  return line.startsWith('{"kind":') ? (JSON.parse(line) as ReportLine) : undefined;
}
