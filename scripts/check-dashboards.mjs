// Starts a real Prometheus that scrapes the running demo, and runs every query of the dashboards and alert rules. Fails when a query is
// refused, a panel's query has no series, or a rule cannot be evaluated.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { setup } from './setup.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const rules = join(root, 'deploy/prometheus/millrace.rules.yml');
const dashboards = join(root, 'deploy/grafana/dashboards');
/** Queries of danielqsj/kafka_exporter's dashboard, Grafana 7589: they must work unchanged on the names that the demo also reports. */
const kafkaExporterDashboard = [
  'sum(rate(kafka_topic_partition_current_offset{topic!="__consumer_offsets"}[1m])) by (topic)',
  'sum(kafka_consumergroup_lag) by (consumergroup, topic) ',
  'sum by(topic) (kafka_topic_partitions{topic!="__consumer_offsets"})',
  'sum(rate(kafka_topic_partition_current_offset{topic=~".*"}[1m])) by (topic)',
  'sum(delta(kafka_consumergroup_current_offset{topic=~".*"}[5m])/5) by (consumergroup, topic)',
];
const patienceMs = 90_000;
const children = [];
const folder = mkdtempSync(join(tmpdir(), 'millrace-dashboards-'));

setup(['packages', 'redis', 'build']);
provide('prometheus');
try {
  checkRuleFiles();
  const { shop, services } = await startDemo();
  const prometheus = await startPrometheus(services);
  const stop = keepBusy(shop);
  const problems = await check(prometheus);
  stop();
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  await Promise.all(children.map(end));
  rmSync(folder, { recursive: true, force: true });
}

/** From the PATH, else from the system's package manager; the package's service is not started. */
function provide(program) {
  if (isThere(program) && isThere('promtool')) return;
  console.log(`Installing ${program} with the system's package manager.`);
  const install =
    process.platform === 'darwin'
      ? ['brew', ['install', program]]
      : ['apt-get', ['install', '-y', '--no-install-recommends', program]];
  // RUNLEVEL=1: the package's scripts assume that the system is booting, and start no services.
  spawnSync(install[0], install[1], { stdio: 'inherit', env: { ...process.env, RUNLEVEL: '1' } });
  if (isThere(program) && isThere('promtool')) return;
  console.error(`${program} and promtool are needed and could not be installed. Put them on the PATH and try again.`);
  process.exit(1);
}

function isThere(program) {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0;
}

function checkRuleFiles() {
  for (const args of [
    ['check', 'rules', rules],
    ['test', 'rules', rules.replace(/\.yml$/, '.test.yml')],
    ['check', 'config', join(root, 'deploy/prometheus/prometheus.yml')],
  ]) {
    const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`promtool ${args.join(' ')} fails:\n${stdout}${stderr}`);
  }
}

/** Resolves to the addresses of the shop and of all services: each serves its own metrics. */
async function startDemo() {
  const env = { PORT: String(await freePort()), REDIS_URL: '' };
  const demo = start(process.execPath, [join(root, 'apps/demo/dist/main.js')], env);
  await until(async () => demo.output.includes('Ready after'), 'the demo to be ready', demo);
  const services = [...demo.output.matchAll(/^(\w+) +\w+ on (http:\/\/\S+:\d+): /gm)];
  const addresses = new Map(services.map(([, name, url]) => [name, url.replace('localhost', '127.0.0.1')]));
  return { shop: addresses.get('shop'), services: [...addresses.values()] };
}

async function startPrometheus(services) {
  const port = await freePort();
  copyFileSync(rules, join(folder, 'millrace.rules.yml'));
  const config = join(folder, 'prometheus.yml');
  const targets = services.map((service) => `'${new URL(service).host}'`).join(', ');
  writeFileSync(
    config,
    `global: { scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }
rule_files: [millrace.rules.yml]
scrape_configs: [{ job_name: millrace, static_configs: [{ targets: [${targets}] }] }]\n`,
  );
  const server = start('prometheus', [
    `--config.file=${config}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ]);
  const url = `http://127.0.0.1:${port}`;
  await until(async () => (await fetch(`${url}/-/ready`)).ok, 'Prometheus to be ready', server);
  return url;
}

/** Places orders continuously, so that rates are not 0. */
function keepBusy(shop) {
  let isOver = false;
  const order = JSON.stringify({ userId: 'dashboards', items: [{ sku: 'tea', quantity: 1 }] });
  const headers = { 'content-type': 'application/json' };
  void (async () => {
    while (!isOver) {
      const answer = await fetch(`${shop}/orders`, { method: 'POST', headers, body: order }).catch(() => undefined);
      if (answer !== undefined && !answer.ok) console.error(`The demo refuses an order: ${answer.status}`);
      await sleep(100);
    }
  })();
  return () => {
    isOver = true;
  };
}

async function check(prometheus) {
  const queries = [...panelQueries(), ...kafkaExporterDashboard.map((expr) => ({ where: 'Grafana 7589', expr }))];
  const deadline = Date.now() + patienceMs;
  let open = queries;
  const problems = [];
  while (open.length > 0 && Date.now() < deadline) {
    const answers = await Promise.all(
      open.map(async (query) => ({ query, answer: await ask(prometheus, query.expr) })),
    );
    for (const { query, answer } of answers) {
      if (answer.error !== undefined) problems.push(`${query.where}: refused: ${query.expr}\n  ${answer.error}`);
    }
    open = answers.filter(({ answer }) => answer.error === undefined && answer.series === 0).map(({ query }) => query);
    if (open.length > 0) await sleep(500);
  }
  problems.push(...open.map(({ where, expr }) => `${where}: no series: ${expr}`));
  const { checked, wrong } = await checkAlerts(prometheus, deadline);
  problems.push(...wrong);
  if (problems.length === 0) {
    console.log(`${queries.length} queries have series in Prometheus, and ${checked} alert rules are evaluated.`);
  }
  return problems;
}

async function checkAlerts(prometheus, deadline) {
  for (;;) {
    const { data } = await (await fetch(`${prometheus}/api/v1/rules`)).json();
    const all = data.groups.flatMap(({ rules: ofGroup }) => ofGroup);
    const wrong = all
      .filter(({ health }) => health === 'err')
      .map(({ name, lastError }) => `alert ${name}: ${lastError}`);
    if (all.length === 0) wrong.push('Prometheus has loaded no alert rule');
    const isWaiting = all.some(({ health }) => health === 'unknown');
    if (!isWaiting || Date.now() > deadline) return { checked: all.length, wrong };
    await sleep(500);
  }
}

async function ask(prometheus, expr) {
  const query = new URLSearchParams({ query: expr });
  const answer = await (await fetch(`${prometheus}/api/v1/query?${query}`)).json();
  return answer.status === 'success' ? { series: answer.data.result.length } : { error: answer.error };
}

/** Every query of every panel and variable, as Grafana sends it with "All" selected. */
function panelQueries() {
  return readdirSync(dashboards).flatMap((file) => {
    const { title, panels, templating } = JSON.parse(readFileSync(join(dashboards, file), 'utf8'));
    const ofPanels = panels.flatMap((panel) =>
      (panel.targets ?? []).map(({ expr }) => ({ where: `${title} / ${panel.title}`, expr: filledIn(expr) })),
    );
    const ofVariables = templating.list
      .filter(({ type }) => type === 'query')
      .map(({ name, query }) => ({ where: `${title} / $${name}`, expr: labelSeries(query.query) }));
    return [...ofPanels, ...ofVariables];
  });
}

function filledIn(expr) {
  return expr.replaceAll('$__rate_interval', '30s').replaceAll(/\$(topic|group|queue|handler)\b/g, '.*');
}

function labelSeries(query) {
  const [, metric, label] = /^label_values\((.+), (\w+)\)$/.exec(query) ?? [];
  return `count by (${label}) (${metric})`;
}

function start(command, args, env = {}) {
  const child = spawn(command, args, {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text) => {
      child.output = `${child.output}${text}`.slice(-5000);
    });
  }
  children.push(child);
  return child;
}

async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await Promise.race([exited, sleep(15_000)]);
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
}

async function until(isTrue, what, child) {
  const deadline = Date.now() + 60_000;
  while (Date.now() < deadline && child.exitCode === null) {
    if (await isTrue().catch(() => false)) return;
    await sleep(100);
  }
  throw new Error(`Waited for ${what}. It printed:\n${child.output}`);
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
