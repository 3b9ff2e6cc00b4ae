import type { RecordTask } from './record-context.js';

/** Records whose handler runs. The tasks themselves are the links: each is added and taken out once, and nothing is hashed. */
export class RunningTasks {
  #first: RecordTask | undefined;

  add(task: RecordTask): void {
    task.after = this.#first;
    if (this.#first !== undefined) this.#first.before = task;
    this.#first = task;
  }

  /** Does nothing when it is not in the list. */
  delete(task: RecordTask): void {
    const { before, after } = task;
    if (before !== undefined) before.after = after;
    else if (this.#first === task) this.#first = after;
    else return;
    if (after !== undefined) after.before = before;
    task.before = undefined;
    task.after = undefined;
  }

  all(): RecordTask[] {
    const tasks: RecordTask[] = [];
    for (let task = this.#first; task !== undefined; task = task.after) tasks.push(task);
    return tasks;
  }
}
