import { TopologyNotFoundError } from '@millrace/core';
import type { Publication } from './publication.js';

/** The error of a message whose exchange, or queue, is not declared. */
export function targetNotFound({ target }: Publication): TopologyNotFoundError {
  const { exchange, routingKey } = target;
  return exchange === ''
    ? new TopologyNotFoundError('queue', routingKey)
    : new TopologyNotFoundError('exchange', exchange);
}
