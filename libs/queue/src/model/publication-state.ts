/** Where a message stands between its caller and its receipt: see `Publication` for the diagram. */
export type PublicationState = 'new' | 'routing' | 'sent' | 'misrouted' | 'appending' | 'settled';

/** What is to be done with a message now. */
export type NextStep = 'nothing' | 'route' | 'append' | 'confirm';

/**
 * What follows when a call with the message has ended, or none was needed. While other calls with it are under way nothing does: a message
 * that is routed again while one of them may still be repeated would be written twice.
 */
export function nextStep(state: PublicationState, callsLeft: number, topics: number): NextStep {
  if (callsLeft > 0 || state === 'settled') return 'nothing';
  if (state === 'misrouted') return 'route';
  return topics > 0 ? 'append' : 'confirm';
}
