/** The share of an area's faults that must be caught. */
const wantedShare = 0.95;

/** Prints a line per area and the surviving faults; returns true when every area catches enough. */
export function passes(results) {
  const areas = new Map();
  for (const result of results) areas.set(result.mutant.area, [...(areas.get(result.mutant.area) ?? []), result]);
  console.log('');
  for (const [area, ofArea] of areas) {
    const killed = ofArea.filter(isCaught).length;
    console.log(`${area.padEnd(12)} ${killed} of ${ofArea.length} caught (${percentOf(killed, ofArea.length)} %)`);
  }
  for (const { mutant, outcome } of results.filter((result) => !isCaught(result))) {
    console.log(`${outcome}: ${mutant.promise}\n  ${mutant.file}: ${mutant.replace.trim()} → ${mutant.by.trim()}`);
  }
  return [...areas.values()].every((ofArea) => ofArea.filter(isCaught).length >= wantedShare * ofArea.length);
}

/** A spec that hangs has caught its fault: the run fails. */
function isCaught({ outcome }) {
  return outcome === 'killed' || outcome === 'hung';
}

function percentOf(part, all) {
  return Math.floor((100 * part) / all);
}
