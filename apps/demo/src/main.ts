import { type Command, readCommand } from './command.js';
import { help } from './help.js';
import { scenarios } from './scenarios.js';

process.exitCode = await run(readCommand(process.argv.slice(2), scenarios, process.env));

/** Answers the exit code. What a command does not need is not loaded. */
async function run(command: Command): Promise<number> {
  switch (command.kind) {
    case 'help':
      console.log(help(scenarios));
      return 0;
    case 'wrong':
      console.error(command.problem);
      return 1;
    case 'scenario': {
      const { runScenario } = await import('./run-scenario.js');
      return runScenario(command.scenario, console.log);
    }
    case 'services': {
      const { runServices } = await import('./run-services.js');
      return runServices(command);
    }
  }
}
