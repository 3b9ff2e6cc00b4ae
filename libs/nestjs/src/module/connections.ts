import { isOwnInstance } from '@millrace/core';
import type { DiscoveryService } from '@nestjs/core';
import { Millrace } from './millrace.js';

/** The connections of an application, by name. */
export class Connections {
  readonly byName = new Map<string, Millrace>();
  /** All connections. Two with the same name stop the start, and both must be closed. */
  readonly #all = new Set<Millrace>();

  /** Finds the connections of all `forRoot`. Two with the same name are a problem. */
  find(discovery: DiscoveryService, report: (problem: string) => void): void {
    for (const { instance, isAlias } of discovery.getProviders()) {
      if (isAlias || !(instance instanceof Millrace)) continue;
      this.#all.add(instance);
      if (!isOwnInstance(instance, Millrace)) {
        report(
          `connection "${instance.name}" was made by another copy of @millrace/nestjs (one by import and one by require, or two versions): ` +
            'call forRoot of one copy for all connections',
        );
      }
      const other = this.byName.get(instance.name);
      if (other !== undefined && other !== instance) {
        report(`two forRoot make a connection named "${instance.name}": give each its own name`);
      }
      this.byName.set(instance.name, instance);
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#all].map((millrace) => millrace.close()));
  }
}
