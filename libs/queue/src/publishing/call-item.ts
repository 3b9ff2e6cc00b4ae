import type { Router } from '../model/routing.js';
import type { Publication } from './publication.js';

/** A message and the slots that one call puts it into. Without slots the call only checks the topology. A class: see docs/decisions/0008. */
export class CallItem {
  constructor(
    readonly publication: Publication,
    readonly slots: readonly string[],
    /** The router that routed it. */
    readonly router: Router,
  ) {}
}
