import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { OptionsError } from '@millrace/core';
import { Events } from '@millrace/delivery';
import { Metrics, type MetricsInput } from '@millrace/metrics';
import { RedisConnection } from '@millrace/redis';
import { Counter, Registry } from 'prom-client';

const root = new URL('../../', import.meta.url);
const names = new Set(namesOf(metrics({ kafkaExporterNames: true }).registry));

describe('metrics', () => {
  it('are what dashboards and alert rules ask for', () => {
    const folder = new URL('deploy/grafana/dashboards/', root);
    const files = [
      ...readdirSync(folder).map((file) => new URL(file, folder)),
      new URL('deploy/prometheus/millrace.rules.yml', root),
    ];
    expect(files.length).toBe(5);
    for (const file of files) expect(unknownIn(readFileSync(file, 'utf8'))).toEqual([]);
  });

  it('are all in the documentation, with their labels', () => {
    const text = readFileSync(new URL('docs/metrics.md', root), 'utf8');
    const missing = [...names].filter(
      (name) => !name.startsWith('kafka_') && !new RegExp(`^\\| \`${name}\` +\\|`, 'm').test(text),
    );
    expect(missing).toEqual([]);
    expect(unknownIn(text.replaceAll(/millrace_messages_\*_total|millrace_[a-z_]+_\*/g, ''))).toEqual([]);
  });

  it('go into the registry of the user, once', () => {
    const registry = new Registry();
    new Counter({ name: 'own_total', help: 'The user’s own.', registers: [registry] });
    metrics({ registry });
    expect(namesOf(registry)).toContain('own_total');
    expect(namesOf(registry)).toContain('millrace_redis_up');
    expect(() => metrics({ registry })).toThrow('another Metrics that was not stopped');
  });

  it('refuse wrong options, all in one error', () => {
    const wrong = { detail: { partition: true }, leaseMs: 1, durationBuckets: [2, 1] } as MetricsInput;
    expect(() => metrics(wrong)).toThrow(OptionsError);
    for (const part of ['detail.partition ', 'leaseMs', 'durationBuckets']) expect(() => metrics(wrong)).toThrow(part);
  });
});

function metrics(options: MetricsInput): Metrics {
  const connection = new RedisConnection({ url: 'redis://127.0.0.1:1' });
  return new Metrics({ connection, events: new Events() }, options);
}

function namesOf(registry: Registry): string[] {
  return registry.getMetricsAsArray().map(({ name }) => name);
}

/** Names with our prefix in a page or dashboard that are no metric; a histogram's parts count as the histogram. */
function unknownIn(text: string): string[] {
  const used = new Set(text.match(/\bmillrace_[a-z_]+/g));
  return [...used].filter((name) => !names.has(name) && !names.has(name.replace(/_(bucket|sum|count)$/, '')));
}
