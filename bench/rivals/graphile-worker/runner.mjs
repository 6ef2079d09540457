// graphile-worker (Node) as the benchmark starts it: `migrate`, `burn-down JOBS` or `idle SAMPLES`. The server is named by
// the PG… variables. The settings are the fastest of those that were tried on two processors.
import { once } from "node:events";
import { performance } from "node:perf_hooks";
import { setTimeout as pause } from "node:timers/promises";
import { Logger, run, runMigrations } from "graphile-worker";
import pg from "pg";

const SETTINGS = {
  concurrentJobs: 24,
  localQueue: { size: 500 },
  completeJobBatchDelay: 0,
  failJobBatchDelay: 0,
  preparedStatements: true,
  // It says a line for every job otherwise.
  logger: new Logger(() => (level, message) => level === "error" && console.error(message)),
};
// After each job, so that the worker has stored its outcome and waits again.
const PAUSE = 5;
// Jobs before those that count.
const WARM_UP = 50;
// The worker's own way in: the SQL function behind every client of it.
const ENQUEUE = {
  name: "enqueue",
  text: "SELECT FROM graphile_worker.add_job('stamp', json_build_object('item_id', $1::bigint))",
};

// It asks for the handlers, and warns where there are none.
function pool() {
  const pgPool = new pg.Pool({ max: SETTINGS.concurrentJobs + 2 });
  const tell = (error) => console.error(error.message);
  pgPool.on("error", tell);
  pgPool.on("connect", (client) => client.on("error", tell));
  return pgPool;
}

const start = (taskList) => run({ preset: { worker: SETTINGS }, pgPool: pool(), taskList });

// Until SIGTERM. Says so when the last job that is expected has run; its completion may not be stored yet.
async function burnDown(expected) {
  let handled = 0;
  const noop = () => {
    handled += 1;
    if (handled === expected) process.stdout.write("handled\n");
  };
  const runner = await start({ noop });
  await runner.promise;
}

// Prints one line: the milliseconds of each sample, as JSON.
async function idle(samples) {
  let arrived;
  const runner = await start({ stamp: (payload) => arrived(payload.item_id, performance.now()) });
  const client = new pg.Client();
  await client.connect();
  const times = { from_commit_ms: [], from_call_ms: [] };
  for (let number = 0; number < WARM_UP + samples; number += 1) {
    await pause(PAUSE);
    const stamped = new Promise((resolve) => (arrived = (item, at) => resolve({ item, at })));
    const called = performance.now();
    await client.query({ ...ENQUEUE, values: [number] });
    const committed = performance.now();
    const { item, at } = await stamped;
    if (item !== number) throw new Error(`job ${number} was added, and ${item} came`);
    if (number >= WARM_UP) {
      times.from_commit_ms.push(at - committed);
      times.from_call_ms.push(at - called);
    }
  }
  await runner.stop();
  await client.end();
  process.stdout.write(`${JSON.stringify(times)}\n`) || (await once(process.stdout, "drain"));
}

const [command, number] = process.argv.slice(2);
if (command === "migrate") await runMigrations({ preset: { worker: SETTINGS }, pgPool: pool() });
else if (command === "burn-down") await burnDown(Number(number));
else if (command === "idle") await idle(Number(number));
else throw new Error("migrate, burn-down JOBS or idle SAMPLES");
process.exit(0);
