import { deadLettersOf } from '@millrace/core';
import type { QueueDeclaration, TopicDeclaration } from '../topology/topology.js';

/** Where the dead letters of a queue go. An invalid queue is returned unchanged: the start refuses it, with every other problem. */
export function deadLetterQueueOf(queue: string | QueueDeclaration): string | QueueDeclaration {
  if (typeof queue === 'string') return deadLettersOf(queue);
  if (!isObject(queue) || typeof queue.name !== 'string') return queue;
  const { name, deadLetter } = queue;
  return isObject(deadLetter) && 'queue' in deadLetter ? deadLetter.queue : deadLettersOf(name);
}

/** Where the dead letters of a topic go. An invalid topic is returned unchanged, as an invalid queue is. */
export function deadLetterTopicOf(topic: string | TopicDeclaration): string | TopicDeclaration {
  if (typeof topic === 'string') return deadLettersOf(topic);
  if (!isObject(topic) || typeof topic.name !== 'string') return topic;
  return topic.deadLetter ? topic.deadLetter.topic : deadLettersOf(topic.name);
}

function isObject<T>(value: T): value is T & object {
  return typeof value === 'object' && value !== null;
}
