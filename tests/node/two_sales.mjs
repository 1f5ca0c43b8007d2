// Two sales at the till by an independent client: @grpc/grpc-js with the files of proto/.
//
// Usage: two_sales.mjs HOST:PORT. Prints what it does; exits with 1 when an answer is not as expected.

import { randomUUID } from "node:crypto";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

// The modules are where `.ci/node` has installed them.
const require = createRequire(join(process.cwd(), "target/node/package.json"));
const grpc = require("@grpc/grpc-js");
const loader = require("@grpc/proto-loader");

const proto = join(dirname(fileURLToPath(import.meta.url)), "../../proto");
const files = ["program_service", "rule_service", "ledger_service"].map((name) => `loyalty/v1/${name}.proto`);
const definition = loader.loadSync(files, { includeDirs: [proto], keepCase: true, longs: String, enums: String, defaults: true });
const { loyalty } = grpc.loadPackageDefinition(definition);

const address = process.argv[2];
const service = (name) => new loyalty.v1[name](address, grpc.credentials.createInsecure());
const [programs, rules, ledger] = ["ProgramService", "RuleService", "LedgerService"].map(service);

function call(client, method, request) {
  const deadline = new Date(Date.now() + 10_000);
  return new Promise((resolve, reject) => {
    client[method]({ request_id: randomUUID(), ...request }, { deadline }, (error, answer) =>
      error ? reject(error) : resolve(answer),
    );
  });
}

function expect(what, actual, expected) {
  console.log(`${what}: ${actual}`);
  if (actual !== expected) {
    throw new Error(`${what} should be ${expected}`);
  }
}

const run = randomUUID().slice(0, 8);
const program_id = `node-${run}`;
const rate = { amount: { value: "300" }, points: { value: "1" } };
const tier = (tier_id, minimum) => ({ tier_id, name: tier_id, minimum_spend: { value: minimum }, earn_rate: rate });
await call(programs, "CreateProgram", {
  program: {
    program_id,
    name: "Node's club",
    currency_code: "EUR",
    tiers: [tier("silver", "2000"), tier("gold", "6000")],
    redemption: { value_per_point: { value: "10" } },
  },
});
const known = await call(rules, "ListRules", { program_id });
expect("rules", known.rules.length, 0);
const customer_id = `ada-${run}`;
await call(programs, "EnrollMember", { program_id, identifiers: [{ customer_id }] });

const sale = (id, more) => ({
  sale: {
    sale_id: `${run}-${id}`,
    store_id: "store-1",
    member: { customer_id },
    currency_code: "EUR",
    total: { value: "3000" },
    ...more,
  },
});
const first = await call(ledger, "RecordSale", sale("1"));
expect("first sale earns", first.outcome.points_earned.value, "10");
expect("tier", first.outcome.balance.tier_id, "silver");
const paying = sale("2", { redemptions: [{ points: { value: "10" } }] });
const second = await call(ledger, "RecordSale", paying);
expect("points pay", second.outcome.points_tenders[0].amount.amount.value, "100.00");
expect("second sale earns", second.outcome.points_earned.value, "9");
expect("tier", second.outcome.balance.tier_id, "gold");
const again = await call(ledger, "RecordSale", paying);
expect("sent again it is", again.replayed, true);

const refused = await call(ledger, "RecordSale", sale("3", { redemptions: [{ points: { value: "10" } }] })).catch(
  (error) => error,
);
expect("more points than there are", refused.code, grpc.status.FAILED_PRECONDITION);

// The queue of a till, over a stream in both directions.
const queue = ledger.SyncSales();
const answers = [];
const ended = new Promise((resolve, reject) => queue.on("end", resolve).on("error", reject));
queue.on("data", (answer) => answers.push(answer.status));
queue.write({ position: 1, record_sale: { request_id: randomUUID(), ...sale("4") } });
queue.write({ position: 2, record_sale: { request_id: randomUUID(), ...sale("4", { total: { value: "1" } }) } });
queue.end();
await ended;
expect("queue", answers.join(" "), "SYNC_STATUS_APPLIED SYNC_STATUS_REFUSED");
[programs, rules, ledger].forEach((client) => client.close());
