import type { Router } from '../model/routing.js';
import type { Publication } from './publication.js';

/**
 * A message and the queues (slots of queues, where they are sharded) that one call puts it into. Without queues the call only
 * checks the topology. A class for the same reason as PublicationTarget.
 */
export class PublishEntry {
  constructor(
    readonly publication: Publication,
    readonly queues: readonly string[],
    /** The router that routed it. */
    readonly router: Router,
  ) {}
}
