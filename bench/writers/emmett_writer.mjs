// Run by bench.peers where emmett-postgresql was installed: appends with its event store.
// Told `[writers, batch, seconds]` a line, it answers `[appends a second, p50, p99 in milliseconds]`.
import { getPostgreSQLEventStore } from '@event-driven-io/emmett-postgresql';
import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import pg from 'pg';

const dsn = process.argv[2];
const pool = new pg.Pool({ connectionString: dsn, max: 128 });
const store = getPostgreSQLEventStore(dsn, { connectionOptions: { pooled: true, pool } });
await store.schema.migrate();

const append = (batch) =>
  store.appendToStream(
    `bench-${randomUUID()}`,
    Array.from({ length: batch }, () => ({ type: 'Plain', data: { note: 'x'.repeat(300) }, metadata: { actor: 'a' } })),
  );

const measure = async (writers, batch, seconds) => {
  const took = [];
  const begun = performance.now();
  const write = async () => {
    do {
      const at = performance.now();
      await append(batch);
      took.push(performance.now() - at);
    } while (performance.now() - begun < 1000 * seconds);
  };
  await Promise.all(Array.from({ length: writers }, write));
  const whole = (performance.now() - begun) / 1000;
  took.sort((a, b) => a - b);
  return [took.length / whole, took[Math.floor(took.length / 2)], took[Math.floor(0.99 * took.length)]];
};

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await measure(...JSON.parse(line))));
}
