/** A line that a service printed. */
export interface LogLine {
  readonly level: 'log' | 'warn' | 'error';
  readonly text: string;
}

/** `[Nest] 2730  - 11/22/2026, 8:17:45 PM    WARN [Millrace] text` */
const ofNest = /^\[Nest\] \d+ +- .*? (LOG|WARN|ERROR|FATAL) (?:\[.*?\] )?(.*)$/;

/** Takes off what Nest writes before each line: which process and when is known to who reads along. */
export function readLogLine(line: string): LogLine {
  // What a customer sent may be in it: nothing that a terminal would obey.
  const plain = line.replaceAll(/\p{Cc}/gu, ' ');
  const [, level, text = plain] = ofNest.exec(plain) ?? [];
  return { level: level === 'WARN' ? 'warn' : level === 'ERROR' || level === 'FATAL' ? 'error' : 'log', text };
}
