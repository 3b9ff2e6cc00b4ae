import { againstScenarios } from './against/scenarios.js';
import type { Place } from './place.js';
import { sampleLine } from './sample-line.js';
import { scenarios } from './scenarios.js';

// The process of one measurement: `node child.js <scenario> <subject> <place as JSON>`. Answers one line on stdout.

const [scenarioName, subject = '', place = '{}'] = process.argv.slice(2);
const measure = [...scenarios, ...againstScenarios].find(({ name }) => name === scenarioName)?.subjects[subject];
if (measure === undefined) throw new Error(`there is no measurement of "${subject}" in scenario "${scenarioName}"`);
const sample = await measure(JSON.parse(place) as Place);
process.stdout.write(sampleLine(sample), () => process.exit(0));
